"""The text of a first contract: comments that cannot break it, long lists on several lines, every word escaped."""

import tomllib

import pytest

from ebb.contract import Adjustment, Feature, Kind, Label, Rules, parse_contract
from training.describe.model import Description, Guess, LeftOut
from training.describe.render import render

NASTY = 'a "b" \\ \n[[features]]\u2028# \x00\x7f'


def description(**more: object) -> Description:
    given: dict[str, object] = {
        "name": "small",
        "rows": 1_234,
        "label": Label("y", "yes", 30),
        "label_told": "as asked for",
        "positive_rate": 0.25,
        "entity": None,
        "entity_told": "none found",
        "guesses": (Guess(Feature("x", "x", Kind.NUMBER), 0.0, ()),),
        "left_out": (),
        "rules": Rules(0.25, ()),
    }
    return Description(**{**given, **more})  # type: ignore[arg-type]


def test_it_says_what_it_is() -> None:
    text = render(description())
    assert text.startswith("# A first contract, guessed from 1,234 rows.")
    assert "# REVIEW: 25.0% of the rows are positive" in text
    assert "# max_fairness_gap" in text
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    contract = parse_contract(text)
    assert contract.rules == Rules(0.25, ())
    assert contract.decision.currency == "USD"
    assert contract.entity_column is None


def test_nothing_a_table_holds_can_break_it() -> None:
    feature = Feature("x", NASTY, Kind.CATEGORY, categories=(NASTY, "plain"))
    text = render(
        description(
            label=Label(NASTY + "y", NASTY, 30),
            entity=NASTY + "e",
            entity_told=NASTY,
            label_told=NASTY,
            guesses=(Guess(feature, 0.0, (NASTY,)),),
            left_out=(LeftOut(NASTY, NASTY),),
            rules=Rules(0.1, (Adjustment("x", 0.2, equals=NASTY.replace("\0", "")),)),
        )
    )
    contract = parse_contract(text)
    assert contract.entity_column == NASTY + "e"
    assert contract.label.positive == NASTY
    assert contract.features[0].column == NASTY
    assert contract.features[0].categories == (NASTY, "plain")
    assert contract.rules.adjustments[0].equals == NASTY.replace("\0", "")
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("count", [1, 8, 50])
def test_lists_are_wrapped_and_read_back(count: int) -> None:
    names = tuple(f"category number {i}" for i in range(count))
    text = render(description(guesses=(Guess(Feature("x", "x", Kind.CATEGORY, categories=names), 0.0, ()),)))
    assert parse_contract(text).features[0].categories == names
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("adjustment", "kind"),
    [
        (Adjustment("x", 0.1, below=12.0), Kind.NUMBER),
        (Adjustment("x", -0.25, at_least=0.5), Kind.NUMBER),
        (Adjustment("x", 0.1, equals="Two year"), Kind.CATEGORY),
        (Adjustment("x", 0.1, equals=True), Kind.FLAG),
        (Adjustment("x", 0.1, missing=True), Kind.NUMBER),
        (Adjustment("x", 0.1, below=1e-12), Kind.NUMBER),
        (Adjustment("x", 0.1, below=1e20), Kind.NUMBER),
    ],
)
def test_every_condition_is_read_back(adjustment: Adjustment, kind: Kind) -> None:
    guesses = (Guess(Feature("x", "x", kind), 0.0, ()),)
    text = render(description(rules=Rules(0.3, (adjustment,)), guesses=guesses))
    assert parse_contract(text).rules.adjustments == (adjustment,)


def test_marks_and_bounds_stand_only_where_they_are() -> None:
    marked = Feature("x", "X x", Kind.INTEGER, minimum=0.0, maximum=1e16, missing=True, personal=True, protected=True)
    plain = Feature("y2", "y2", Kind.FLAG)
    text = render(description(guesses=(Guess(marked, 0.5, ("50.0% missing",)), Guess(plain, 0.0, ()))))
    first, second = tomllib.loads(text)["features"]
    assert first == {
        "name": "x",
        "column": "X x",
        "kind": "integer",
        "min": 0,
        "max": 1e16,
        "missing": True,
        "personal": True,
        "protected": True,
    }
    assert second == {"name": "y2", "kind": "flag"}
    assert "# 50.0% missing\n[[features]]" in text
