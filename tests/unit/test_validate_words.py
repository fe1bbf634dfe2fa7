"""What stands in the cells of `ebb validate`'s table: observed and asked, for each kind of expectation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.validate_case import DAY, NOW
from training.validation.docs import render
from training.validation.drift import Bins
from training.validation.expected import COUNTED, FIGURELESS, Expected, Kind, Verdict, fact, filled_bounds
from training.validation.judged import bounds
from training.validation.ranges import float32_range
from training.validation.results import results_of
from training.validation.translated import as_class
from training.validation.words import asked, observed

LOW, HIGH = float32_range(-0.3, 1e9)
BINS = Bins((50, 50, 0), (1.0,), (), (0, 1, 1), is_category=False)
CELLS = [
    (Kind.EXISTS, {}, None, "no", "yes"),
    (Kind.READABLE, {}, 1_234.0, "1,234 rows break it", "every row"),
    (Kind.PRESENT, {}, 3.0, "3 rows break it", "every row"),
    (Kind.FILLED, {"minimum": 1}, 0.0, "no", "yes"),
    (Kind.MISSING_RATE, {"minimum": 0.0, "maximum": 0.9}, 0.954, "95.40%", "0.00% to 90.00%"),
    (Kind.VARIES, {"minimum": 2}, 1.0, "1", "≥ 2"),
    (Kind.GROUPED, {"maximum": 999}, 4_000.0, "4,000", "≤ 999"),
    (Kind.WHOLE, {}, 2.0, "2 rows break it", "every row"),
    (Kind.RANGE, {"minimum": LOW, "maximum": HIGH}, 2.0, "2 rows break it", "-0.3 to 1e+09"),
    (Kind.LISTED, {"among": ("a", "b", "c", "d", "e")}, 2.0, "2 rows break it", "a, b, c, d, ..."),
    (Kind.KEY, {}, 4.0, "4 rows break it", "every row"),
    (Kind.LABEL_VALUES, {"minimum": 2, "maximum": 2}, 3.0, "3", "2"),
    (Kind.LABEL_POSITIVE, {"among": ("1",)}, None, "no", "1"),
    (Kind.LABEL_RATE, {"minimum": 0.005, "maximum": 1.0}, 0.0012, "0.12%", "0.50% to 100.00%"),
    (Kind.CLASSES, {"minimum": 50, "maximum": 1_950}, 12.0, "12", "50 to 1950"),
    (Kind.NOT_AHEAD, {"maximum": NOW + DAY}, 5.0, "5 rows break it", "≤ 2023-11-15 22:13"),
    (Kind.MATURE, {"maximum": NOW}, 6.0, "6 rows break it", "≤ 2023-11-14 22:13"),
    (Kind.FRESH, {"minimum": NOW}, NOW - DAY, "2023-11-13 22:13", "≥ 2023-11-14 22:13"),
    (Kind.PSI, {"maximum": 0.123456, "bins": BINS}, 0.25, "0.25", "≤ 0.1235"),
    (Kind.KS, {"maximum": 0.05, "bins": BINS}, 0.1 / 3, "0.03333", "≤ 0.05"),
]  # fmt: skip


def expected_of(kind: Kind, asked_for: dict[str, object]) -> Expected:
    return Expected(kind, "c", "warning", **asked_for)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "asked_for", "told", "shown", "wanted"), CELLS)
def test_each_cell(kind: Kind, asked_for: dict[str, object], told: float | None, shown: str, wanted: str) -> None:
    expected = expected_of(kind, asked_for)
    assert observed(Verdict(expected, passed=False, observed=told)) == shown
    assert asked(expected) == wanted


def test_no_kind_is_left_out() -> None:
    assert [cell[0] for cell in CELLS] == list(Kind)


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_what_holds_holds_in_every_row(kind: Kind) -> None:
    assert observed(Verdict(expected_of(kind, {}), passed=True, observed=0.0)) == "every row"


@pytest.mark.parametrize("kind", sorted(FIGURELESS))
def test_what_has_no_figure_is_yes(kind: Kind) -> None:
    assert observed(Verdict(expected_of(kind, {}), passed=True, observed=None)) == "yes"


@pytest.mark.parametrize("kind", sorted(set(Kind) - FIGURELESS))
def test_what_could_not_be_observed_is_a_dash(kind: Kind) -> None:
    assert observed(Verdict(expected_of(kind, {}), passed=False, observed=None)) == "-"


@pytest.mark.parametrize(
    ("least", "most", "shown"),
    [(None, None, "every row"), (0.0, None, "≥ 0"), (None, 0.1, "≤ 0.1"), (1.0, 1.0, "1"), (1e-7, 2.5, "1e-07 to 2.5")],
)
def test_a_range_is_shown_as_the_contract_wrote_it(least: float | None, most: float | None, shown: str) -> None:
    low, high = float32_range(least, most)
    assert asked(expected_of(Kind.RANGE, {"minimum": low, "maximum": high})) == shown


def test_a_short_list_is_shown_whole() -> None:
    assert asked(expected_of(Kind.LISTED, {"among": ("a", "b", "c", "d")})) == "a, b, c, d"
    assert asked(expected_of(Kind.LISTED, {"among": (0.0, 1.0)})) == "0.0, 1.0"


@given(st.integers(1, 100_000), st.data())
def test_a_missing_rate_exactly_on_its_bounds_holds(rows: int, data: st.DataObject) -> None:
    """One minus k/n and (n - k)/n differ in their last bits; the judged share is the latter."""
    missing = data.draw(st.integers(0, rows))
    on = expected_of(Kind.MISSING_RATE, {"minimum": missing / rows, "maximum": missing / rows})
    least, most = filled_bounds(on)
    assert least <= (rows - missing) / rows <= most
    for off in (missing - 1, missing + 1):
        if 0 <= off <= rows:
            assert not least <= (rows - off) / rows <= most
    assert bounds(on) == (least, most)


def test_both_engines_ask_for_the_same_filled_share() -> None:
    expected = expected_of(Kind.MISSING_RATE, {"minimum": 0.1, "maximum": 0.3})
    _, kwargs = as_class(expected, ())
    assert (kwargs["min_value"], kwargs["max_value"]) == filled_bounds(expected)
    assert filled_bounds(expected_of(Kind.MISSING_RATE, {})) == (0.0, 1.0)


@pytest.mark.parametrize(("kind", "asked_for", "_told", "_shown", "_wanted"), CELLS)
def test_each_kind_has_an_expectation_of_the_library_on_its_column(
    kind: Kind, asked_for: dict[str, object], _told: float | None, _shown: str, _wanted: str
) -> None:
    made, kwargs = as_class(expected_of(kind, asked_for), (fact("c", "present"),))
    assert made.__name__.startswith("Expect")
    columns = {kwargs["column"]} if "column" in kwargs else set(kwargs["column_list"])
    assert columns <= {"c", *(fact("c", name) for name in ("readable", "present", "whole", "positive", "mature"))}


def test_drift_without_bins_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="drift is measured against bins"):
        as_class(expected_of(Kind.PSI, {"maximum": 0.1}), ())


def test_a_key_with_a_moment_is_a_pair() -> None:
    _, kwargs = as_class(expected_of(Kind.KEY, {"beside": "at"}), ())
    assert kwargs == {"column_list": ["c", "at"]}


def test_the_page_shows_a_filled_share_without_its_last_bits() -> None:
    expected = expected_of(Kind.MISSING_RATE, {"minimum": 0.0, "maximum": 0.9})
    results = results_of([Verdict(expected, passed=True, observed=0.25)], 100)
    page = render("t.csv", "100 rows", [], results).decode()
    assert "0.75" in page
    assert "0.0999" not in page
