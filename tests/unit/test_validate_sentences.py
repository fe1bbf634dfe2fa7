"""The exact sentence of each expectation that fails: column, count, what to do; no value of a personal feature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.features.values import FLOAT32_MAX
from tests.unit.validate_case import NOW
from training.validation import CRITICAL, WARNING, Finding
from training.validation.drift import Bins
from training.validation.expected import COUNTED, Expected, Kind, Verdict
from training.validation.ranges import float32_range, shown_bound
from training.validation.sentences import findings_of, moment
from training.validation.words import asked, observed

BINS = Bins((50, 50, 0), (1.0,), (), (0, 1, 1), is_category=False)
STALE = (
    "ends at 2023-11-13 22:13, but the contract's `max_age` asks for rows since 2023-11-14 22:13: is there newer data?"
)
CASES = [
    (Kind.EXISTS, {}, None, "is not in t.csv: add it, or correct the contract", 200),
    (Kind.READABLE, {}, 3.0, "holds 3 values that its kind cannot be read from: correct them", 3),
    (Kind.PRESENT, {}, 1_234.0, "is missing in 1,234 rows, but may not be: fill or remove these rows", 1_234),
    (Kind.FILLED, {"minimum": 1}, 0.0, "is missing in every row: remove it from the contract", 200),
    (Kind.MISSING_RATE, {"maximum": 0.9}, 0.95, "is missing in 95.0% of the rows: is it worth its upkeep?", 190),
    (
        Kind.MISSING_RATE, {"minimum": 0.1, "maximum": 0.2, "rows": 200}, 0.5,
        "is missing in 50.0% of the rows, but 10.00% to 20.00% are expected", 100,
    ),
    (Kind.VARIES, {"minimum": 2}, 1.0, "holds the same value in every row and adds nothing", 200),
    (Kind.GROUPED, {"maximum": 999}, 4_000.0, "has 4,000 categories, which are learned poorly: group them", 4_000),
    (Kind.WHOLE, {}, 2.0, "is no whole number in 2 rows: is its kind `number`?", 2),
    (Kind.RANGE, {"minimum": 0.0, "maximum": 1.0}, 2.0, "is outside 0 to 1 in 2 rows", 2),
    (Kind.LISTED, {"among": ("a",)}, 9.0, "holds what the contract does not list in 9 rows", 9),
    (Kind.KEY, {}, 4.0, "repeats keys in 4 rows: each entity may have one row", 4),
    (Kind.KEY, {"beside": "at"}, 4.0, "repeats keys in 4 rows: each entity may have one row a moment", 4),
    (Kind.LABEL_VALUES, {"minimum": 2, "maximum": 2}, 3.0, "has 3 values, but a yes/no outcome has two", 3),
    (
        Kind.LABEL_POSITIVE, {"among": ("1",)}, None,
        "never holds the contract's positive value: correct `positive`", 200,
    ),
    (Kind.LABEL_RATE, {"minimum": 0.005}, 0.001, "is positive in only 0.10% of the rows: expect wide errors", 0),
    (
        Kind.LABEL_RATE, {"minimum": 0.1, "maximum": 0.2, "rows": 200}, 0.3,
        "is positive in 30.00% of the rows, but 10.00% to 20.00% are expected: what changed?", 60,
    ),
    (
        Kind.CLASSES, {"minimum": 50}, 12.0,
        "has only 12 positive rows in t.csv, but at least 50 are needed to learn from and to judge by: bring more rows",
        12,
    ),
    (
        Kind.CLASSES, {"minimum": 50}, 190.0,
        "has only 10 negative rows in t.csv, but at least 50 are needed to learn from and to judge by: bring more rows",
        10,
    ),
    (Kind.NOT_AHEAD, {}, 5.0, "lies in the future in 5 rows: seconds or milliseconds, which clock?", 5),
    (
        Kind.MATURE, {}, 6.0,
        "is so late in 6 rows that a negative label cannot be known yet: the label's window is still open", 6,
    ),
    (
        Kind.FRESH, {"minimum": NOW}, NOW - 86_400,
        STALE, 200,
    ),
    (
        Kind.PSI, {"maximum": 0.1, "rows": 150, "bins": BINS}, 0.25,
        "has moved against the reference: PSI 0.25, but chance explains at most 0.1 in 150 rows", 200,
    ),
    (
        Kind.KS, {"maximum": 0.1, "rows": 150, "bins": BINS}, 0.25,
        "has moved against the reference: KS distance 0.25, but chance explains at most 0.1 in 150 rows", 200,
    ),
]  # fmt: skip


def broken(kind: Kind, asked_for: dict[str, object], told: float | None, **more: object) -> Verdict:
    expected = Expected(kind, "c", CRITICAL, **{**asked_for, **more})  # type: ignore[arg-type]
    return Verdict(expected, passed=False, observed=told, value="S3CRET")


@pytest.mark.parametrize(("kind", "asked_for", "told", "sentence", "count"), CASES)
def test_each_says_what_was_found_and_what_to_do(
    kind: Kind, asked_for: dict[str, object], told: float | None, sentence: str, count: int
) -> None:
    found = findings_of([broken(kind, asked_for, told, personal=True)], 200, "t.csv")
    assert found == [Finding(CRITICAL, "c", sentence, count)]


def test_every_kind_has_its_case() -> None:
    assert {case[0] for case in CASES} == set(Kind)


@pytest.mark.parametrize("kind", [Kind.RANGE, Kind.LISTED])
def test_an_example_is_shown_only_where_it_is_not_personal(kind: Kind) -> None:
    asked_for: dict[str, object] = {"minimum": 0.0, "maximum": 1.0}
    (shown,) = findings_of([broken(kind, asked_for, 2.0)], 200, "t.csv")
    (hidden,) = findings_of([broken(kind, asked_for, 2.0, personal=True)], 200, "t.csv")
    assert shown.reason == f"{hidden.reason}, such as 'S3CRET'"
    assert "S3CRET" not in hidden.reason


@pytest.mark.parametrize(
    ("least", "most", "sentence"),
    [
        (0.0, None, "is below 0, or infinite, in 2 rows"),
        (None, 0.1, "is above 0.1, or infinite, in 2 rows"),
        (None, None, "is infinite or too large in 2 rows"),
        (-0.3, 1e9, "is outside -0.3 to 1e+09 in 2 rows"),
    ],
)
def test_a_range_is_told_as_the_contract_wrote_it(least: float | None, most: float | None, sentence: str) -> None:
    low, high = float32_range(least, most)
    (found,) = findings_of([broken(Kind.RANGE, {"minimum": low, "maximum": high}, 2.0, personal=True)], 200, "t")
    assert found.reason == sentence


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_a_shown_bound_rounds_to_the_same_float32(bound: float) -> None:
    for edge in float32_range(bound, bound):
        shown = shown_bound(edge)
        assert shown is not None
        assert np.float32(shown) == np.float32(bound)
        assert len(f"{shown:g}") < 14


def test_an_open_side_has_no_bound() -> None:
    assert [shown_bound(b) for b in (None, FLOAT32_MAX, -FLOAT32_MAX, float("inf"))] == [None] * 4


def test_what_follows_from_a_graver_one_is_not_told() -> None:
    told = [
        broken(Kind.MISSING_RATE, {"maximum": 0.9}, 1.0),
        broken(Kind.FILLED, {"minimum": 1}, 0.0),
        broken(Kind.PSI, {"maximum": 0.1, "rows": 9, "bins": BINS}, 1.0),
    ]
    assert [f.reason for f in findings_of(told, 200, "t")] == ["is missing in every row: remove it from the contract"]


def test_psi_and_ks_of_one_column_are_one_finding_and_the_critical_come_first() -> None:
    drift = {"maximum": 0.1, "rows": 9, "bins": BINS}
    warning = Verdict(Expected(Kind.VARIES, "w", WARNING), passed=False, observed=1.0)
    told = findings_of([warning, broken(Kind.KS, drift, 1.0), broken(Kind.PSI, drift, 1.0)], 200, "t")
    assert [(f.severity, f.column) for f in told] == [(CRITICAL, "c"), (WARNING, "w")]
    assert "PSI" in told[0].reason


@pytest.mark.parametrize("seconds", [1e300, -1e18, float("nan"), float("inf")])
def test_an_impossible_moment_is_told_as_a_number(seconds: float) -> None:
    assert moment(seconds) == f"{seconds:g} seconds after 1970"
    assert moment(None) == "-"


@pytest.mark.parametrize(("kind", "asked_for", "told", "_sentence", "_count"), CASES)
def test_every_kind_has_words_for_a_table(
    kind: Kind, asked_for: dict[str, object], told: float | None, _sentence: str, _count: int
) -> None:
    verdict = broken(kind, asked_for, told)
    assert asked(verdict.expected)
    shown = observed(verdict)
    assert shown
    if kind in COUNTED:
        assert shown.endswith("rows break it")
