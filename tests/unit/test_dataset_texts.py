"""Columns as texts and as numbers: by the column as value by value."""

import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.dataset.label import same_value
from training.dataset.numbers import as_flags, as_numbers, flag_of
from training.dataset.texts import as_texts, spell


def column(values: object, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([values if isinstance(values, pa.Array) else pa.array(values, kind)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("  ", ""),
        ("\t", ""),
        (" a ", " a "),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1e300, str(int(1e300))),
        (math.nan, ""),
        (math.inf, "inf"),
        (b"a", "a"),
        (b" ", ""),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_spelling(value: object, text: str) -> None:
    if value == math.inf:
        with pytest.raises(OverflowError):
            int(math.inf)
        assert spell(value) == text
        return
    assert spell(value) == text


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(TypeError, match="not UTF-8"):
        spell(b"\xff")


def test_missing_is_always_code_0() -> None:
    texts = as_texts(column(["b", None, " ", "a", "b"]))
    assert texts.distinct.tolist() == ["", "b", "a"]
    assert texts.codes.tolist() == [1, 0, 0, 2, 1]
    assert texts.missing.tolist() == [False, True, True, False, False]
    assert texts.counts().tolist() == [2, 2, 1]
    assert texts.values().tolist() == ["b", "", "", "a", "b"]
    none_missing = as_texts(column(["b"]))
    assert none_missing.distinct.tolist() == ["", "b"]


def test_columns_without_values() -> None:
    assert as_texts(column(pa.nulls(3))).codes.tolist() == [0, 0, 0]
    assert as_texts(pa.chunked_array([], pa.string())).codes.tolist() == []
    numbers, unreadable = as_numbers(column(pa.nulls(2)))
    assert np.isnan(numbers).all()
    assert not unreadable.any()


scalars = st.one_of(
    st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=20).map(lambda v: pa.array(v, pa.string())),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=20).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.floats()), max_size=20).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=20).map(lambda v: pa.array(v, pa.bool_())),
)


@given(scalars, st.integers(0, 20))
def test_a_column_is_spelled_as_its_values_are(values: pa.Array, cut: int) -> None:
    chunked = pa.chunked_array([values.slice(0, cut), values.slice(cut)], values.type)
    texts = as_texts(chunked)
    assert texts.values().tolist() == [spell(value) for value in values.to_pylist()]
    assert len(set(texts.distinct)) == len(texts.distinct)
    assert texts.codes.dtype == np.int32


@given(st.lists(st.text(max_size=4), max_size=20))
def test_a_dictionary_column_is_spelled_as_a_plain_one(values: list[str]) -> None:
    plain = as_texts(column(values, pa.string()))
    coded = as_texts(column(pa.array(values, pa.string()).dictionary_encode()))
    assert plain.values().tolist() == coded.values().tolist()


WORDS = ["", " ", "NaN", "nan", "NA", "N/A", "null", "NULL", "None", "none"]
READABLE = {"1": 1.0, "-2.5": -2.5, " 7 ": 7.0, "+3": 3.0, "1e3": 1000.0, ".5": 0.5, "5.": 5.0, "007": 7.0, "-0": 0.0}
UNREADABLE = ["a", "1,5", "1 000", "1_000", "0x1F", "--1", "1e", "1.2.3", "٣", "12 months", "+-1", "true", "-"]


@given(st.lists(st.sampled_from([*WORDS, *READABLE, *UNREADABLE]), max_size=30))
def test_numbers_in_text_are_read_one_by_one_alike(values: list[str]) -> None:
    numbers, unreadable = as_numbers(column(values, pa.string()))
    for value, number, bad in zip(values, numbers, unreadable, strict=True):
        assert bad == (value in UNREADABLE)
        assert math.isnan(number) == (value not in READABLE)
        assert value not in READABLE or number == READABLE[value]


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), max_size=20))
def test_numbers_survive_their_spelling(values: list[float | None]) -> None:
    typed, _ = as_numbers(column(values, pa.float64()))
    spelled, unreadable = as_numbers(column([None if v is None else repr(v) for v in values], pa.string()))
    np.testing.assert_array_equal(typed, spelled)
    assert not unreadable.any()


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.uint64(), pa.float32(), pa.decimal128(9, 2)]
)
def test_numbers_of_every_type(kind: pa.DataType) -> None:
    numbers, unreadable = as_numbers(column([1, None, 3], kind))
    assert numbers[[0, 2]].tolist() == [1.0, 3.0]
    assert math.isnan(numbers[1])
    assert not unreadable.any()


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.date32(), pa.time32("s")])
def test_moments_are_no_numbers(kind: pa.DataType) -> None:
    numbers, unreadable = as_numbers(
        column(pa.array([1, None], pa.int32()).cast(pa.int64() if kind.bit_width == 64 else pa.int32()).cast(kind))
    )
    assert np.isnan(numbers).all()
    assert unreadable.tolist() == [True, False]


def test_large_strings_and_dictionaries_of_numbers() -> None:
    for values in (pa.array(["1", "x"], pa.large_string()), pa.array(["1", "x"]).dictionary_encode()):
        numbers, unreadable = as_numbers(column(values))
        assert numbers[0] == 1
        assert unreadable.tolist() == [False, True]
    flags, _ = as_flags(column(pa.array(["yes", "no"]).dictionary_encode()))
    assert flags.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("text", "flag"),
    [("Yes", 1), ("n", 0), (" TRUE", 1), ("0.0", 0), ("1e0", 1), ("2", 2), ("perhaps", None), ("", math.nan)],
)
def test_what_a_text_says_as_a_flag(text: str, flag: float | None) -> None:
    found = flag_of(text)
    assert found == flag or (found is not None and flag is not None and math.isnan(found) and math.isnan(flag))


@given(st.lists(st.sampled_from(["yes", "No", "", "NA", "1", "0", "2", "x", "True"]), max_size=20))
def test_flags_in_text_are_read_one_by_one_alike(values: list[str]) -> None:
    flags, unreadable = as_flags(column(values, pa.string()))
    for value, flag, bad in zip(values, flags, unreadable, strict=True):
        alone = flag_of(value)
        assert bad == (alone is None)
        assert math.isnan(flag) if alone is None or math.isnan(alone) else flag == alone


@pytest.mark.parametrize(
    ("text", "same"),
    [("1", "1"), ("1.0", "1"), ("-0.0", "0"), ("0.5", "0.5"), ("Yes", "Yes"), ("inf", "inf"), ("nan", "nan")],
)
def test_label_values_of_one_number_are_one(text: str, same: str) -> None:
    assert same_value(text) == same


def test_dictionaries_are_ordered_by_first_rows_and_lose_what_no_row_holds() -> None:
    parts = [
        pa.DictionaryArray.from_arrays(pa.array([2, None, 0], pa.int8()), pa.array(["a", "unused", "b"])),
        pa.DictionaryArray.from_arrays(pa.array([1, 0, 2], pa.int8()), pa.array(["a", "c", " "])),
    ]
    texts = as_texts(pa.chunked_array(parts))
    assert texts.distinct.tolist() == ["", "b", "a", "c"]
    assert texts.codes.tolist() == [1, 0, 2, 3, 2, 0]


@given(st.lists(st.one_of(st.none(), st.sampled_from(["", " ", "a", "b", "ä", "c"])), max_size=40), st.integers(1, 7))
def test_dictionaries_in_any_chunks_read_like_plain_texts(values: list[str | None], size: int) -> None:
    chunks = [values[at : at + size] for at in range(0, len(values), size)]
    plain = as_texts(pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks], pa.string()))
    coded = as_texts(
        pa.chunked_array(
            [pa.array(chunk, pa.string()).dictionary_encode() for chunk in chunks],
            pa.dictionary(pa.int32(), pa.string()),
        )
    )
    assert coded.distinct.tolist() == plain.distinct.tolist()
    assert coded.codes.tolist() == plain.codes.tolist()
    assert plain.values().tolist() == ["" if value is None or not value.strip() else value for value in values]
