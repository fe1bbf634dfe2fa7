"""What kind of feature a column is: the same whether numbers are typed or written as text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import Kind
from training.describe.kinds import Column, is_sequence, read_column


def read(values: object, kind: pa.DataType | None = None) -> Column:
    return read_column(pa.chunked_array([pa.array(values, kind)]))


def test_a_left_out_column_has_no_values() -> None:
    found = read([None, None], pa.string())
    assert (found.kind, found.reason) == (None, "all values are missing")
    assert found.codes().tolist() == []


def test_numbers_and_texts_are_ranked_by_what_they_hold() -> None:
    assert read([1.5, None, 2.5]).codes().tolist()[::2] == [1.5, 2.5]
    assert read(["b", "a", None, "b"]).codes().tolist() == [1, 2, 0, 1]


def test_missing_values_are_counted() -> None:
    assert read([1.5, None, float("nan"), 2.5]).missing == 2
    assert read(["a", "", " ", "b"]).missing == 2
    assert read(["1.5", "NA", "", "2.5"]).missing == 2
    assert read([True, None, False]).missing == 1


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["Yes", "No"], Kind.FLAG),
        (["TRUE", "false", None], Kind.FLAG),
        (["y", "N"], Kind.FLAG),
        (["0", "1"], Kind.FLAG),
        ([0, 1, None], Kind.FLAG),
        ([0.0, 1.0], Kind.FLAG),
        (["Yes", "No", "Perhaps"], Kind.CATEGORY),
        (["Yes", "Yes", None], Kind.CATEGORY),
        (["0", "1", "2"], Kind.INTEGER),
        ([1, 2], Kind.INTEGER),
        (["1.5", "2"], Kind.NUMBER),
        (["007", "008"], Kind.CATEGORY),
        (["-01", "02"], Kind.CATEGORY),
        (["0.5", "0"], Kind.NUMBER),
        (["12 months", "24 months"], Kind.CATEGORY),
        ([float("inf"), 1.0], Kind.NUMBER),
    ],
)
def test_kinds(values: list[object], kind: Kind) -> None:
    assert read(values).kind is kind


def test_a_pair_of_words_needs_both() -> None:
    assert read(["t", "f"]).kind is Kind.FLAG
    assert read(["t", "x"]).kind is Kind.CATEGORY
    assert read(["yes", "false"]).kind is Kind.CATEGORY


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2024-02-29", True),
        ("2024/2/9 10:15", True),
        ("2024-02-29T10:15:00.123+01:00", True),
        ("29.02.2024", True),
        ("2/29/24 10:15 PM", True),
        ("29 Feb 2024", True),
        ("February 29, 2024", True),
        ("2024", False),
        ("12-month", False),
        ("1.5", False),
        ("10:15", False),
    ],
)
def test_dates_in_many_spellings(value: str, date: bool) -> None:
    found = read([value, value.replace("2", "1", 1)])
    assert found.written.is_date == date


def test_one_text_that_is_no_date_makes_a_category() -> None:
    assert read(["2024-01-01", "never"]).kind is Kind.CATEGORY


def test_days_as_numbers_and_numbers_that_only_look_so() -> None:
    assert read([20240131, 20231231]).written == "yyyymmdd"
    assert read(["20240131", "20231231"]).written == "yyyymmdd"
    assert read([20240131, 20231331]).kind is Kind.INTEGER
    assert read([20240131, 5]).kind is Kind.INTEGER


def test_whole_numbers_in_a_column_of_fractions_are_said_so() -> None:
    assert read([1.0, 2.0, None]).told == ("whole numbers only, though the table could hold fractions",)
    assert read([1, 2, None]).told == ()
    assert read(["1", "2", ""]).told == ()


def test_dictionaries_are_judged_by_their_values() -> None:
    assert read_column(pa.chunked_array([pa.array(["a", "b"]).dictionary_encode()])).kind is Kind.CATEGORY
    assert read_column(pa.chunked_array([pa.array([1.5, 2.5]).dictionary_encode()])).kind is Kind.NUMBER


@pytest.mark.parametrize(
    ("numbers", "counts"), [([5, 6, 7], True), ([5, 7, 8], False), ([5], False), ([7, 6, 5], False)]
)
def test_sequences(numbers: list[float], counts: bool) -> None:
    assert is_sequence(np.array(numbers, np.float64)) == counts


@given(st.lists(st.one_of(st.none(), st.integers(-999, 999)), min_size=2, max_size=30))
def test_integers_are_judged_alike_typed_and_as_text(values: list[int | None]) -> None:
    typed = read(values, pa.int64())
    spelled = read(["" if value is None else str(value) for value in values], pa.string())
    assert (typed.kind, typed.missing) == (spelled.kind, spelled.missing)
    assert bool(typed.reason) == (typed.kind is None)


@given(st.lists(st.floats(-1e6, 1e6).map(lambda value: value + 0.5 * value.is_integer()), min_size=2, max_size=30))
def test_fractions_are_numbers_however_they_are_written(values: list[float]) -> None:
    typed, spelled = read(values, pa.float64()), read([repr(value) for value in values], pa.string())
    assert typed.kind is spelled.kind
    assert typed.kind in {None, Kind.NUMBER, Kind.INTEGER, Kind.FLAG}


@pytest.mark.parametrize(
    ("values", "written", "numbers"),
    [
        (["71,10", "8,5", None], "1.234,5", [71.1, 8.5]),
        (["1.071,10 €", "-2,0"], "1.234,5", [1071.1, -2.0]),
        ([f"{i},5" for i in range(200)], "1.234,5", [i + 0.5 for i in range(200)]),
        (["$1,234.50", "($3)", "-", "?"], "1,234.5", [1234.5, -3.0]),
        (["12 %", "7.5%", "n/a"], "1,234.5", [12.0, 7.5]),
        (["1 234,5", "17"], "1.234,5", [1234.5, 17.0]),
    ],
)
def test_amounts_are_read_as_people_write_them(values: list[str | None], written: str, numbers: list[float]) -> None:
    found = read(values)
    assert found.written == written
    assert found.codes()[: len(numbers)].tolist() == numbers
    assert found.missing == len(values) - len(numbers)


def test_what_cannot_be_told_apart_is_said() -> None:
    assert "REVIEW: no row tells day and month apart" in read(["01/02/2024", "03/04/2024"]).told[0]
    assert read(["01/02/2024", "01/04/2024"]).told == ()
    assert read(["01/02/2024", "01/04/2024"]).written == "dd/mm/yyyy"
    assert read(["01.02.2024", "03.04.2024"]).told == ()
    assert "REVIEW: commas" in read(["1,234", "5,678"]).told[0]


def test_a_list_of_words_with_commas_is_a_category() -> None:
    assert read(["1,5", "large, red"]).kind is Kind.CATEGORY
