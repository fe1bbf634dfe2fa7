"""What is expected of a table follows from its contract, line by line of the guide."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ebb.contract import Contract, parse_contract
from ebb.features.values import FLOAT32_MAX
from ebb.release.reference import Reference, make_reference
from tests.fakes.made_contracts import contract_of, contract_text
from tests.unit.validate_case import DAY, NOW, good, made_contract
from training.dataset import accept_table
from training.validation import CRITICAL, WARNING
from training.validation.drift import FALSE_ALARM_RATE, bins_of, ks_limit, psi_limit, rate_bounds
from training.validation.expected import Expected, Kind
from training.validation.suite import Seen, events_suite, holds_events, suite_of

COLUMNS = frozenset({"id", "at", "n", "i", "f", "k", "l", "t", "y"})


def seen(**more: Any) -> Seen:
    return replace(Seen(COLUMNS, 2_000, NOW), **more)


def told(expected: tuple[Expected, ...], column: str) -> dict[str, tuple[str, float | None, float | None]]:
    """The expectations of a column: severity and bounds by kind."""
    return {e.kind.name: (e.severity, e.minimum, e.maximum) for e in expected if e.column == column}


def test_a_key_is_unique_with_its_moment_where_rows_are_learned_from() -> None:
    found = [e for e in suite_of(made_contract(), seen()) if e.column == "id"]
    assert [(e.kind, e.severity, e.beside, e.personal) for e in found] == [
        (Kind.EXISTS, CRITICAL, "", False),
        (Kind.PRESENT, CRITICAL, "", True),
        (Kind.KEY, CRITICAL, "at", True),
    ]
    scored = [e for e in suite_of(made_contract(), seen(labelled=False)) if e.kind is Kind.KEY]
    assert [e.beside for e in scored] == [""], "who is scored is scored once"
    timeless = [e for e in suite_of(made_contract(), seen(columns=COLUMNS - {"at"})) if e.kind is Kind.KEY]
    assert [e.beside for e in timeless] == [""], "without the column it would be refused for its name, not as a key"


def test_without_a_key_column_no_key_is_asked_for() -> None:
    found = suite_of(contract_of('name = "n"; kind = "number"'), seen(columns=frozenset({"n", "y"})))
    assert Kind.KEY not in {e.kind for e in found}


def test_moments_of_rows_that_are_learned_from() -> None:
    contract = made_contract()
    window = contract.label.window_days * DAY
    assert window > 0
    assert told(suite_of(contract, seen()), "at") == {
        "EXISTS": (CRITICAL, None, None),
        "PRESENT": (CRITICAL, None, None),
        "NOT_AHEAD": (CRITICAL, None, NOW + DAY),
        "FRESH": (WARNING, NOW - 30 * DAY - window, None),
        "MATURE": (WARNING, None, NOW - window),
    }


def test_moments_of_rows_that_are_scored_have_no_outcome_to_wait_for() -> None:
    found = told(suite_of(made_contract(), seen(labelled=False)), "at")
    assert found["FRESH"] == (WARNING, NOW - 30 * DAY, None)
    assert "MATURE" not in found


def test_the_shortest_age_that_a_feature_may_have_decides() -> None:
    contract = contract_of(
        'name = "a"; kind = "number"; max_age = "9d"', 'name = "b"; kind = "number"; max_age = "36h"', event_time="at"
    )
    found = told(suite_of(contract, seen(columns=frozenset({"a", "b", "at"}), labelled=False)), "at")
    assert found["FRESH"][1] == NOW - 1.5 * DAY


def test_a_contract_without_ages_or_window_asks_less_of_time() -> None:
    text = contract_text('name = "a"; kind = "number"', event_time="at")
    contract = parse_contract(text.replace("[label]\n", "[label]\nwindow_days = 0\n"))
    found = told(suite_of(contract, seen(columns=frozenset({"a", "at", "y"}))), "at")
    assert set(found) == {"EXISTS", "PRESENT", "NOT_AHEAD"}


@pytest.mark.parametrize(
    ("column", "kinds"),
    [
        ("n", {"EXISTS", "READABLE", "RANGE", "FILLED", "MISSING_RATE"}),
        ("i", {"EXISTS", "READABLE", "PRESENT", "RANGE", "WHOLE"}),
        ("f", {"EXISTS", "READABLE", "LISTED", "FILLED", "MISSING_RATE"}),
        ("k", {"EXISTS", "READABLE", "LISTED", "FILLED", "MISSING_RATE", "GROUPED"}),
        ("l", {"EXISTS", "READABLE", "PRESENT", "LISTED", "GROUPED"}),
    ],
)
def test_each_kind_of_feature_is_asked_its_questions(column: str, kinds: set[str]) -> None:
    assert set(told(suite_of(made_contract(), seen()), column)) == kinds


def test_bounds_and_severities_of_features() -> None:
    found = suite_of(made_contract(), seen())
    severity, least, most = told(found, "i")["RANGE"]
    assert severity == CRITICAL
    assert least == pytest.approx(0.0, abs=1e-40), "what rounds to 0 is inside"
    assert most == pytest.approx(FLOAT32_MAX)
    assert told(found, "k")["LISTED"][0] == CRITICAL, "unseen categories are refused"
    assert told(found, "l")["LISTED"][0] == WARNING, "unseen categories are served"
    assert told(found, "f")["LISTED"][0] == CRITICAL
    assert told(found, "n")["FILLED"] == (CRITICAL, 1, None)
    assert told(found, "n")["MISSING_RATE"] == (WARNING, 0.0, 0.9)
    assert told(found, "l")["GROUPED"] == (WARNING, None, 999)
    assert next(e.among for e in found if (e.column, e.kind) == ("f", Kind.LISTED)) == (0.0, 1.0)


def test_one_value_is_told_only_of_columns_that_have_no_gap_beside_it() -> None:
    found = suite_of(made_contract(), seen(filled=frozenset({"i", "t", "id", "y"})))
    assert {e.column for e in found if e.kind is Kind.VARIES} == {"i", "t"}


def test_a_column_that_is_not_there_is_missed_once() -> None:
    found = suite_of(made_contract(), seen(columns=COLUMNS - {"n", "y", "id", "at"}))
    for column in ("n", "y", "id", "at"):
        assert told(found, column) == {"EXISTS": (CRITICAL, None, None)}


def test_the_label_of_rows_that_are_learned_from() -> None:
    assert told(suite_of(made_contract(), seen()), "y") == {
        "EXISTS": (CRITICAL, None, None),
        "PRESENT": (CRITICAL, None, None),
        "LABEL_VALUES": (CRITICAL, 2, 2),
        "LABEL_POSITIVE": (CRITICAL, None, None),
        "CLASSES": (CRITICAL, 50, 1_950),
        "LABEL_RATE": (WARNING, 0.005, 1.0),
    }
    assert told(suite_of(made_contract(), seen(labelled=False)), "y") == {}
    assert "CLASSES" not in told(suite_of(made_contract(), seen(whole=False)), "y"), "a sample cannot tell"


def test_the_positive_value_has_one_spelling() -> None:
    contract = contract_of('name = "n"; kind = "number"', positive="1.0")
    found = suite_of(contract, seen(columns=frozenset({"n", "y"})))
    assert {e.among for e in found if e.among} == {("1",)}


def test_personal_features_are_marked_in_every_question_that_could_show_a_value() -> None:
    contract = contract_of(
        'name = "a"; kind = "integer"; personal = true',
        'name = "b"; kind = "category"; personal = true; missing = true',
    )
    found = suite_of(contract, seen(columns=frozenset({"a", "b", "y"})))
    shows = {Kind.READABLE, Kind.PRESENT, Kind.RANGE, Kind.LISTED, Kind.WHOLE}
    assert all(e.personal for e in found if e.column in {"a", "b"} and e.kind in shows)


def reference_of(columns: dict[str, Any], contract: Contract) -> Reference:
    import pyarrow as pa  # noqa: PLC0415 - of this one

    data = accept_table(contract, pa.table(columns), labelled=True, source="t")
    assert data.labels is not None
    return make_reference(contract, data.inputs, data.labels, np.zeros(data.rows, np.float32))


REFERENCE = reference_of(good(), made_contract())


def test_with_a_reference_shares_follow_from_it_and_drift_is_judged() -> None:
    found = suite_of(made_contract(), seen(), REFERENCE)
    drift = [(e.kind.name, e.column) for e in found if e.rows]
    assert sorted(drift) == sorted(
        [(kind, column) for kind in ("PSI", "KS") for column in ("n", "i", "f", "t")]
        + [("PSI", "k"), ("PSI", "l"), ("LABEL_RATE", "y")]
        + [("MISSING_RATE", column) for column in ("n", "f", "k", "t")]
    )
    assert all(e.severity == WARNING for e in found if e.rows)
    assert sum(e.kind is Kind.MISSING_RATE for e in found) == 4, "none beside the reference's own"
    assert sum(e.kind is Kind.LABEL_RATE for e in found) == 1


def test_the_false_alarm_rate_is_shared_by_all_looks() -> None:
    """Numbers have three looks (missing, PSI, KS), categories two, the label one: 4 * 3 + 2 * 2 + 1."""
    alpha = FALSE_ALARM_RATE / 17
    found = {(e.kind, e.column): e for e in suite_of(made_contract(), seen(), REFERENCE) if e.rows}
    entry = REFERENCE.features["n"]
    bins = bins_of(entry, 2_000)
    assert bins is not None
    assert found[Kind.PSI, "n"].maximum == psi_limit(2_000, bins, alpha)
    assert found[Kind.KS, "n"].maximum == ks_limit(2_000, bins, alpha)
    assert found[Kind.PSI, "n"].bins == bins
    missing = found[Kind.MISSING_RATE, "n"]
    assert (missing.minimum, missing.maximum) == rate_bounds(int(entry["missing"]), 2_000, 2_000, alpha)
    positives = round(REFERENCE.class_rate * REFERENCE.rows)
    rate = found[Kind.LABEL_RATE, "y"]
    assert (rate.minimum, rate.maximum) == rate_bounds(positives, 2_000, 2_000, alpha)


def test_rows_of_one_entity_are_no_independent_news() -> None:
    found = [e for e in suite_of(made_contract(), seen(independent=700), REFERENCE) if e.rows]
    assert {e.rows for e in found} == {700}
    alone = {(e.kind, e.column): e.maximum for e in suite_of(made_contract(), seen(), REFERENCE) if e.rows}
    for expected in found:
        most, usual = expected.maximum, alone[expected.kind, expected.column]
        assert most is not None
        assert usual is not None
        assert most > usual


def test_a_feature_that_the_release_does_not_know_has_not_moved() -> None:
    """A challenger may add an optional feature; the champion's reference has no entry of it."""
    known = {name: entry for name, entry in REFERENCE.features.items() if name != "n"}
    found = suite_of(made_contract(), seen(), replace(REFERENCE, features=known))
    assert "n" not in {e.column for e in found if e.rows}
    assert "t" in {e.column for e in found if e.rows}


def test_too_few_rows_for_bins_leave_rates_alone() -> None:
    found = suite_of(made_contract(), seen(rows=12), REFERENCE)
    assert {e.kind for e in found if e.rows} == {Kind.MISSING_RATE, Kind.LABEL_RATE}


def events_contract() -> Contract:
    """Return a contract whose features are built from events, as the shipped one is."""
    from tests.home import ROOT  # noqa: PLC0415 - of this one
    from training.contract_file import read_contract  # noqa: PLC0415 - of this one

    return read_contract(ROOT / "training" / "contracts" / "synthetic_events.toml")[0]


def test_events_are_asked_for_their_entity_and_their_moment() -> None:
    contract = events_contract()
    assert contract.events is not None
    who, when = contract.events.entity, contract.events.time
    found = events_suite(contract, Seen(frozenset({who, when, "kind"}), 10, NOW))
    ages = [feature.max_age for feature in contract.features if feature.max_age is not None]
    assert told(found, who) == {
        "EXISTS": (CRITICAL, None, None),
        "FILLED": (CRITICAL, 1, None),
        "MISSING_RATE": (WARNING, 0.0, 0.9),
    }
    assert told(found, when) == {
        **told(found, who),
        "NOT_AHEAD": (CRITICAL, None, NOW + DAY),
        "FRESH": (WARNING, NOW - min(ages), None),
    }
    gone = events_suite(contract, Seen(frozenset({"kind"}), 10, NOW))
    assert {(e.kind, e.column) for e in gone} == {(Kind.EXISTS, who), (Kind.EXISTS, when)}
    assert events_suite(made_contract(), seen()) == ()


def test_a_table_with_features_is_no_table_of_events() -> None:
    contract = events_contract()
    assert contract.events is not None
    who, when = contract.events.entity, contract.events.time
    features = [feature.column for feature in contract.features]
    assert holds_events(contract, [who, when])
    assert holds_events(contract, [who])
    assert not holds_events(contract, [who, features[0]])
    assert not holds_events(contract, [who, when, *features])
    assert not holds_events(contract, [who, when, contract.label.column])
    assert not holds_events(contract, [])
