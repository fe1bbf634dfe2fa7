"""Any column as numbers: float64, NaN where missing, and the rows that are none."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.dataset.texts import as_texts

MISSING_WORDS = (
    "", "nan", "na", "n/a", "n.a.", "#n/a", "null", "none", "nil", "(null)", "<na>", "missing", "unknown", "?", "-",
    "--", "\u2013", "\u2014", ".", "\\n", "undefined",
)  # fmt: skip
"""How people write a missing number, in lower case."""

_NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^-?(inf|Inf|INF|infinity|Infinity)$"
_FLAGS = {"true": 1.0, "yes": 1.0, "t": 1.0, "y": 1.0, "false": 0.0, "no": 0.0, "f": 0.0, "n": 0.0}

Numbers = tuple[NDArray[np.float64], NDArray[np.bool_]]


def as_numbers(column: pa.ChunkedArray) -> Numbers:
    """Read a column of numbers, typed or as text; blanks and the usual words for missing are missing.

    Returns:
        float64 [N] with NaN where missing or unreadable, and bool [N], where a value is there but no number.
        Integers above 2^53 are rounded to the nearest float64.
    """
    column = _plain(column)
    kind = column.type
    if pa.types.is_null(kind):
        return _nothing(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _parse(column)
    if _is_number(kind):
        return _float64(column.cast(pa.float64(), safe=False)), np.zeros(len(column), bool)
    return _unreadable(column)


def as_flags(column: pa.ChunkedArray) -> Numbers:
    """Read a column of yes and no: booleans, 0 and 1 in any spelling, true/false, yes/no, t/f, y/n.

    Returns:
        As `as_numbers`; values that are numbers but neither 0 nor 1 are left for the contract to refuse.
    """
    column = _plain(column)
    kind = column.type
    if pa.types.is_boolean(kind):
        return _float64(column.cast(pa.int8()).cast(pa.float64())), np.zeros(len(column), bool)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return as_numbers(column)
    texts = as_texts(column)
    known = [flag_of(text) for text in texts.distinct]
    values = np.array([np.nan if value is None else value for value in known])
    bad = np.array([value is None for value in known])
    return values[texts.codes], bad[texts.codes]


def holds_numbers(kind: pa.DataType, *, flag: bool) -> bool:
    """Tell whether a column of this type can hold numbers (or flags) at all."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return flag
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return texts or pa.types.is_null(kind) or _is_number(kind)


def flag_of(text: str) -> float | None:
    """Return what a text says as a flag: 1, 0, NaN for missing, another number, or None where it says nothing."""
    word = text.strip().lower()
    if word in MISSING_WORDS:
        return float("nan")
    if word in _FLAGS:
        return _FLAGS[word]
    try:
        return float(word)
    except ValueError:
        return None


def _parse(column: pa.ChunkedArray) -> Numbers:
    text = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING_WORDS, text.type))
    text = pc.if_else(missing, pa.scalar(None, text.type), text)
    try:
        return _float64(text.cast(pa.float64())), np.zeros(len(column), bool)
    except pa.ArrowInvalid:
        text = pc.replace_substring_regex(text, r"^\+([0-9.])", r"\1")
        good = pc.match_substring_regex(text, _NUMBER)
        bad = pc.fill_null(pc.invert(good), fill_value=False)
        numbers = pc.if_else(good, text, pa.scalar(None, text.type)).cast(pa.float64())
        return _float64(numbers), np.asarray(bad.to_numpy(), bool)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _float64(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.to_numpy(), np.float64)


def _nothing(column: pa.ChunkedArray) -> Numbers:
    return np.full(len(column), np.nan), np.zeros(len(column), bool)


def _unreadable(column: pa.ChunkedArray) -> Numbers:
    values, _ = _nothing(column)
    return values, np.asarray(pc.is_valid(column).to_numpy(), bool)
