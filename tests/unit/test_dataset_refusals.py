"""The sentences of a refusal: rows as people count them, few examples, nothing personal."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import DataError
from training.dataset.column_names import nearest
from training.dataset.refusals import Refusals, is_blank, name_rows, short


def sentence(refusals: Refusals) -> str:
    with pytest.raises(DataError) as caught:
        refusals.raise_if_any()
    return str(caught.value)


def test_nothing_refused_nothing_raised() -> None:
    Refusals("t.csv", "small").raise_if_any()


def test_one_sentence_stands_in_one_line() -> None:
    refusals = Refusals("t.csv", "small")
    refusals.add("column 'x' is odd")
    assert sentence(refusals) == "t.csv does not fit the contract 'small': column 'x' is odd"
    without = Refusals("t.csv", None)
    without.add("it is odd")
    assert sentence(without) == "t.csv cannot be used: it is odd"


@pytest.mark.parametrize(("count", "lines", "last"), [(2, 3, "  - s1"), (10, 11, "  - s9"), (11, 12, "  and 1 more")])
def test_ten_sentences_are_shown(count: int, lines: int, last: str) -> None:
    refusals = Refusals("t.csv", "small")
    for i in range(count):
        refusals.add(f"s{i}")
    told = sentence(refusals).splitlines()
    assert len(told) == lines
    assert told[-1] == last


@pytest.mark.parametrize(
    ("rows", "named"),
    [([0], "row 1"), ([4, 9], "rows 5, 10"), ([0, 1, 2], "rows 1, 2, 3"), ([0, 1, 2, 3], "rows 1, 2, 3, ...")],
)
def test_rows_are_counted_from_one(rows: list[int], named: str) -> None:
    assert name_rows(rows) == named


@given(st.text(max_size=500))
def test_values_are_shown_short(value: str) -> None:
    shown = short(value)
    assert len(shown) <= 24 * 10 + 2
    assert len(shown.splitlines()) <= 1
    assert len(value) > 24 or shown == repr(value)


@pytest.mark.parametrize(("value", "blank"), [("", True), (" \t", True), ("a", False), (None, False), (0, False)])
def test_blanks(value: object, blank: bool) -> None:
    assert is_blank(value) == blank


@pytest.mark.parametrize(
    ("value", "personal", "shown"),
    [
        ("odd", False, ", such as 'odd'"),
        ("odd", True, ""),
        (None, False, ""),
        ("  ", False, ""),
        (7, False, ", such as '7'"),
    ],
)
def test_an_example_is_shown_unless_personal_or_blank(value: object, personal: bool, shown: str) -> None:
    refusals = Refusals("t.csv", "small")
    column = pa.chunked_array([pa.array([value])])
    refusals.add_rows("x", "is odd", np.array([0]), column, personal=personal)
    assert sentence(refusals).endswith(f"column 'x' is odd: row 1{shown}")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("TotalCharges", "total_charges"),
        ("total charge", "total_charges"),
        ("Churn", None),
        ("tenure", "Tenure (months)"),
        ("month", None),
    ],
)
def test_the_nearest_spelling(name: str, found: str | None) -> None:
    assert nearest(name, ["total_charges", "Tenure (months)", "id"]) == found
