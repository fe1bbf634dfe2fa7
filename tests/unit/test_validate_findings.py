"""Each finding by itself: splits, outcomes, groups, classes, time, and what a personal feature keeps to itself."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ebb.contract import Contract
from ebb.errors import DataError
from tests.fakes.made_contracts import contract_of
from tests.unit.validate_case import DAY, NOW, good, made_contract
from training.dataset import Dataset, accept_table
from training.validation import CRITICAL, WARNING, Finding, Validation, raise_on_critical, validate
from training.validation.order import judge_split, learned_of, outcomes_told, wrong_outcomes

NUMBER = 'name = "x"; kind = "number"'
RANDOM = np.random.default_rng(3)
ROWS = 600


def accepted(contract: Contract, columns: dict[str, Any], *, labelled: bool = True) -> Dataset:
    return accept_table(contract, pa.table(columns), labelled=labelled, source="t")


def found(contract: Contract, columns: dict[str, Any], **asked: Any) -> Validation:
    return validate(contract, accepted(contract, columns), "t", now=NOW, **asked)


def in_time(times: Any, ids: Any, labels: Any = None) -> dict[str, Any]:
    n = len(ids)
    return {"id": ids, "at": times, "x": RANDOM.random(n), "y": RANDOM.integers(0, 2, n) if labels is None else labels}


TIMED = contract_of(NUMBER, entity="id", event_time="at")


def test_entities_in_train_and_test_are_critical() -> None:
    contract = contract_of(NUMBER, entity="id")
    columns = {"id": [f"e{i}" for i in range(ROWS)], "x": RANDOM.random(ROWS), "y": RANDOM.integers(0, 2, ROWS)}
    train = accepted(contract, columns)
    test = accepted(contract, {**columns, "id": [f"e{i + ROWS - 7}" for i in range(ROWS)]})
    assert judge_split(contract, learned_of(train), test) == [
        Finding(CRITICAL, "id", "names entities that were trained on in 7 of 600 rows of the test: split by entity", 7)
    ]
    others = accepted(contract, {**columns, "id": [f"f{i}" for i in range(ROWS)]})
    assert judge_split(contract, learned_of(train), others) == []


def test_row_numbers_are_no_entities() -> None:
    contract = contract_of(NUMBER)
    data = accepted(contract, {"x": RANDOM.random(ROWS), "y": RANDOM.integers(0, 2, ROWS)})
    assert judge_split(contract, learned_of(data), data) == []


@pytest.mark.parametrize(
    ("start", "severity", "count"), [(1_000.0, None, 0), (50.0, WARNING, 51), (-500.0, CRITICAL, 100)]
)
def test_time_that_runs_backwards_is_found(start: float, severity: str | None, count: int) -> None:
    base = 1_600_000_000.0
    train = accepted(TIMED, in_time(base + np.arange(101.0), [f"a{i}" for i in range(101)]))
    test = accepted(TIMED, in_time(base + start + np.arange(100.0), [f"b{i}" for i in range(100)]))
    told = judge_split(TIMED, learned_of(train), test)
    assert [(f.severity, f.count) for f in told] == ([] if severity is None else [(severity, count)])


def test_an_outcome_before_its_row_is_critical_and_one_after_the_window_is_told() -> None:
    times = np.full(10, 1_600_000_000.0)
    outcomes = times + np.array([np.nan, 1, 2, -1, -2, 31, 29, 40, np.nan, 0]) * DAY
    told = outcomes_told(TIMED, "left_at", wrong_outcomes(TIMED, times, outcomes))
    assert [(f.severity, f.column, f.count) for f in told] == [(CRITICAL, "left_at", 2), (WARNING, "left_at", 2)]
    assert "is before 'at' in 2 rows" in told[0].reason
    assert outcomes_told(TIMED, "left_at", wrong_outcomes(TIMED, times, np.full(10, np.nan))) == []


def test_rows_in_the_future_are_critical() -> None:
    columns = in_time(np.full(ROWS, NOW + 40 * DAY), [f"e{i}" for i in range(ROWS)])
    told = found(TIMED, columns)
    assert (CRITICAL, "at", ROWS) in [(f.severity, f.column, f.count) for f in told]
    with pytest.raises(DataError, match="column 'at' lies in the future in 600 rows"):
        raise_on_critical(told)


def test_negative_labels_whose_window_is_open_are_told_and_positive_ones_are_not() -> None:
    labels = (np.arange(ROWS) < 200).astype(int)
    told = found(TIMED, in_time(np.full(ROWS, NOW - 3 * DAY), [f"e{i}" for i in range(ROWS)], labels))
    assert [(f.severity, f.column, f.count) for f in told] == [(WARNING, "at", 400)]
    assert "window is still open" in told.findings[0].reason


def test_old_data_is_told_where_a_feature_may_not_be_old() -> None:
    contract = contract_of(NUMBER + '; max_age = "7d"', entity="id", event_time="at")
    old = found(contract, in_time(np.full(ROWS, NOW - 38 * DAY), [f"e{i}" for i in range(ROWS)]))
    assert [(f.severity, f.column) for f in old] == [(WARNING, "at")]
    assert "ends at 2023-10-07 22:13" in old.findings[0].reason
    assert list(found(contract, in_time(np.full(ROWS, NOW - 36 * DAY), [f"e{i}" for i in range(ROWS)]))) == []


@pytest.mark.parametrize("personal", ["false", "true"])
def test_a_protected_group_of_three_rows_is_told_and_named_only_where_it_may_be(personal: str) -> None:
    contract = contract_of(NUMBER, f'name = "g"; kind = "category"; protected = true; personal = {personal}')
    groups = np.array(["north"] * 300 + ["south"] * (ROWS - 303) + ["mars"] * 3, object)
    told = found(contract, {"x": RANDOM.random(ROWS), "g": groups, "y": RANDOM.integers(0, 2, ROWS)})
    assert [(f.severity, f.column, f.count) for f in told] == [(WARNING, "g", 3)]
    assert ("mars" in told.findings[0].reason) is (personal == "false")


def test_a_protected_flag_has_groups_too_and_a_measure_has_none() -> None:
    contract = contract_of(
        'name = "f"; kind = "flag"; protected = true', 'name = "m"; kind = "number"; protected = true'
    )
    flags = (np.arange(ROWS) < 5).astype(int)
    told = found(contract, {"f": flags, "m": RANDOM.random(ROWS), "y": RANDOM.integers(0, 2, ROWS)})
    assert [(f.severity, f.column, f.count) for f in told] == [(WARNING, "f", 5)]


def test_a_constant_label_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="label column 'y' is constant"):
        accepted(contract_of(NUMBER), {"x": RANDOM.random(ROWS), "y": np.ones(ROWS, int)})


def test_a_large_table_is_sampled_and_rare_things_are_seen_all_the_same() -> None:
    rows = 60_000
    contract = contract_of(
        NUMBER, 'name = "rare"; kind = "category"; missing = true', 'name = "n"; kind = "number"; missing = true'
    )
    rare = np.full(rows, None, object)
    rare[-1] = "once"
    numbers = np.full(rows, np.nan)
    numbers[7] = 1.0
    labels = np.zeros(rows, int)
    labels[:49] = 1
    told = found(contract, {"x": RANDOM.random(rows), "rare": rare, "n": numbers, "y": labels})
    assert 50_000 <= told.judged < rows
    assert [(f.column, f.count) for f in told if f.severity == CRITICAL] == [("y", 49)]
    assert {f.column for f in told if "is missing in 100.0% of the rows" in f.reason} == {"rare", "n"}


def test_a_good_table_of_every_kind_has_no_findings() -> None:
    assert list(found(made_contract(), good())) == []


def test_a_validation_is_a_collection_of_its_findings() -> None:
    columns = good()
    columns["i"] = np.full(len(columns["i"]), 3.0)
    told = found(made_contract(), columns)
    assert len(told) == 1
    assert [f.column for f in told] == ["i"]
    assert not told.critical
    raise_on_critical(told)
