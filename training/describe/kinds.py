"""What kind of feature a column is, from what stands in it."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.contract import Kind
from ebb.features.values import LONGEST_CATEGORY
from training.dataset.numbers import as_flags, as_numbers
from training.dataset.texts import Texts, as_texts

_DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3}(\.?\d{3})*,\d+|[+-]?\d+,\d+")
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})( \d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?)?"
    r"|\d{1,2}[ -][A-Za-z]{3,9}[ -,]+\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4}",
    re.ASCII,
)
_PAIRS = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"})
_FEW, _IDENTIFIER_SHARE, _LEAST_ROWS = 50, 0.9, 20
_EMPTY, _CONSTANT = "all values are missing", "constant: every row holds the same value"
_DATES = "dates: features may be built from them, but a date itself never comes back"
_FIRST_DAY, _LAST_DAY, _MONTHS, _DAYS = 19_000_101, 21_001_231, 12, 31


@dataclass(frozen=True)
class Column:
    """A column as read.

    Attributes:
        kind: the feature's kind; None where it is left out.
        reason: why it is left out.
        numbers: float64 [N], NaN missing; for number, integer and flag.
        texts: for category.
        missing: rows without a value.
        told: what people should know.
    """

    kind: Kind | None
    reason: str = ""
    numbers: NDArray[np.float64] | None = None
    texts: Texts | None = None
    missing: int = 0
    told: tuple[str, ...] = ()

    def codes(self) -> NDArray[Any]:
        """Return what the column is ranked by: numbers, or the codes of its texts."""
        if self.numbers is not None:
            return self.numbers
        return np.zeros(0, np.int32) if self.texts is None else self.texts.codes


def read_column(column: pa.ChunkedArray) -> Column:
    """Read a column as the kind that fits it best, or say why it is no feature."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_temporal(column.type):
        return Column(None, _DATES)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _of_numbers(as_numbers(column)[0], fractions=not pa.types.is_integer(column.type))
    try:
        return _of_texts(column, as_texts(column))
    except TypeError as error:
        return Column(None, f"{error}, which is no plain value")


def is_sequence(numbers: NDArray[np.float64]) -> bool:
    """Tell whether numbers count the rows: every one is one more than the last."""
    return len(numbers) > 1 and bool(np.all(np.diff(numbers) == 1))


def _of_texts(column: pa.ChunkedArray, texts: Texts) -> Column:
    """Judge a column of text, or of true and false: it may hold flags, numbers or dates all the same."""
    filled = texts.distinct[1:]
    missing = int(texts.missing.sum())
    if not len(filled):
        return Column(None, _EMPTY)
    if len(filled) == 1 and not missing:
        return Column(None, _CONSTANT)
    if all(_DATE.fullmatch(str(text).strip()) for text in filled):
        return Column(None, _DATES)
    words = {str(text).strip().lower() for text in filled}
    if pa.types.is_boolean(column.type) or words in _PAIRS:
        return _numbers(Kind.FLAG, as_flags(column)[0])
    numbers, unreadable = as_numbers(column)
    if not (unreadable.any() or np.isnan(numbers).all() or _coded(column)):
        return _of_numbers(numbers, fractions=False)
    return _category(texts, missing)


def _category(texts: Texts, missing: int) -> Column:
    filled = texts.distinct[1:]
    if max(len(text) for text in filled) > LONGEST_CATEGORY:
        return Column(None, f"free text: longer than the {LONGEST_CATEGORY} characters of a category")
    if any("\0" in text for text in filled):
        return Column(None, "it holds NUL characters")
    if all(_DECIMAL_COMMA.fullmatch(str(text).strip()) for text in filled):
        return Column(None, "numbers with a decimal comma: write them with a point, and draft again")
    rows = len(texts.codes)
    if len(filled) > _IDENTIFIER_SHARE * (rows - missing) and rows >= _LEAST_ROWS:
        return Column(None, f"likely an identifier or free text: {len(filled):,} different texts")
    return Column(Kind.CATEGORY, texts=texts, missing=missing)


def _of_numbers(numbers: NDArray[np.float64], *, fractions: bool) -> Column:
    """Judge a column of numbers; `fractions` tells that the table could have held some."""
    filled = numbers[~np.isnan(numbers)]
    distinct = np.unique(filled)
    if not len(filled):
        return Column(None, _EMPTY)
    if len(distinct) == 1 and len(filled) == len(numbers):
        return Column(None, _CONSTANT)
    whole = bool(np.isfinite(distinct).all() and np.all(distinct == np.floor(distinct)))
    if whole and distinct.tolist() == [0.0, 1.0]:
        return _numbers(Kind.FLAG, numbers)
    if whole and _days(distinct):
        return Column(None, "dates written as numbers, such as 20240131")
    # only where integers may be missing does a table have to write them as 5.0
    if not whole or (fractions and len(filled) == len(numbers) and len(distinct) > _FEW):
        return _numbers(Kind.NUMBER, numbers)
    return _numbers(Kind.INTEGER, numbers, "whole numbers only, though the table could hold fractions" * fractions)


def _numbers(kind: Kind, numbers: NDArray[np.float64], told: str = "") -> Column:
    return Column(kind, numbers=numbers, missing=int(np.isnan(numbers).sum()), told=(told,) if told else ())


def _coded(column: pa.ChunkedArray) -> bool:
    """Tell whether text holds numbers with leading zeros: codes, such as postcodes."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    return bool(pc.any(pc.match_substring_regex(pc.utf8_trim_whitespace(column), "^-?0[0-9]")).as_py())


def _days(filled: NDArray[np.float64]) -> bool:
    """Tell whether all numbers are days written as 20240131."""
    month, day = filled // 100 % 100, filled % 100
    inside = (filled >= _FIRST_DAY) & (filled <= _LAST_DAY)
    return bool(np.all(inside & (month >= 1) & (month <= _MONTHS) & (day >= 1) & (day <= _DAYS)))


def round_up(value: float) -> float:
    """Return the next number of the form 1, 2 or 5 times a power of ten that is at least `value` > 0."""
    power = 10.0 ** math.floor(math.log10(value))
    if power == 0 or not math.isfinite(10 * power):
        return value
    for factor in (1.0, 2.0, 5.0, 10.0):
        if factor * power >= value:
            return float(f"{factor * power:.6g}") if float(f"{factor * power:.6g}") >= value else factor * power
    return value
