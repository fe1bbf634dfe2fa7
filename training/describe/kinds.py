"""What kind of feature a column is, from what stands in it."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.contract import Kind
from ebb.contract.feature import Written
from ebb.features.values import LONGEST_CATEGORY
from training.dataset.numbers import MISSING_WORDS, as_flags, as_numbers
from training.dataset.refusals import name_rows
from training.dataset.texts import Texts, as_texts
from training.dataset.written import as_written
from training.describe.spelled import guess_amounts, guess_dates, guess_epoch

_PAIRS = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"})
_FEW, _IDENTIFIER_SHARE, _LEAST_ROWS, _FEW_WRONG = 50, 0.9, 20, 0.05
_EMPTY, _CONSTANT = "all values are missing", "constant: every row holds the same value"
_FIRST_DAY, _LAST_DAY = 19_000_101, 21_001_231


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
        written: how the table spells numbers.
    """

    kind: Kind | None
    reason: str = ""
    numbers: NDArray[np.float64] | None = None
    texts: Texts | None = None
    missing: int = 0
    told: tuple[str, ...] = ()
    written: Written = Written.PLAIN

    def codes(self) -> NDArray[Any]:
        """Return what the column is ranked by: numbers, or the codes of its texts."""
        if self.numbers is not None:
            return self.numbers
        return np.zeros(0, np.int32) if self.texts is None else self.texts.codes


def read_column(column: pa.ChunkedArray, title: str = "") -> Column:
    """Read a column as the kind that fits it best, or say why it is no feature; its title may tell epochs."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_temporal(column.type):
        return _of_moments(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _of_numbers(as_numbers(column)[0], fractions=not pa.types.is_integer(column.type), title=title)
    try:
        return _of_texts(column, as_texts(column), title)
    except TypeError as error:
        return Column(None, f"{error}, which is no plain value")


def is_sequence(numbers: NDArray[np.float64]) -> bool:
    """Tell whether numbers count the rows: every one is one more than the last."""
    return len(numbers) > 1 and bool(np.all(np.diff(numbers) == 1))


def _of_moments(column: pa.ChunkedArray) -> Column:
    days, unreadable = as_written(column, Written.YEAR_FIRST)
    if unreadable.any():
        return Column(None, f"holds {column.type}: bring a duration or a time of day as a number to use it")
    return _of_dates(days, Written.YEAR_FIRST, "")


def _of_dates(days: NDArray[np.float64], written: Written, review: str) -> Column:
    filled = days[~np.isnan(days)]
    if not len(filled):
        return Column(None, _EMPTY)
    if len(np.unique(filled)) == 1 and len(filled) == len(days):
        return Column(None, _CONSTANT)
    column = _numbers(Kind.NUMBER, days)
    return replace(column, written=written, told=(review,) if review else ())


def _of_texts(column: pa.ChunkedArray, texts: Texts, title: str) -> Column:
    """Judge a column of text, or of true and false: it may hold flags, numbers or dates all the same."""
    filled = texts.distinct[1:]
    missing = int(texts.missing.sum())
    if not len(filled):
        return Column(None, _EMPTY)
    if len(filled) == 1 and not missing:
        return Column(None, _CONSTANT)
    words = {str(text).strip().lower() for text in filled}
    if pa.types.is_boolean(column.type) or words.difference(MISSING_WORDS) in _PAIRS:
        return _numbers(Kind.FLAG, as_flags(column)[0])
    spelled = pa.chunked_array([pa.array(texts.distinct, pa.large_string())])
    found, wrong = as_numbers(spelled)
    numbers, unreadable = found[texts.codes], wrong[texts.codes]
    if np.isnan(numbers).all() and not unreadable.any():
        return Column(None, _EMPTY)
    if not (unreadable.any() or _coded(spelled)):
        return _of_numbers(numbers, fractions=False, title=title)
    return _spelled(spelled, texts) or _category(texts, missing, np.flatnonzero(unreadable))


def _spelled(spelled: pa.ChunkedArray, texts: Texts) -> Column | None:
    """Read dates and amounts in the spelling that all distinct texts share; None where there is none."""
    written, review = guess_dates(texts.distinct[1:].tolist())
    if written is not None:
        return _of_dates(as_written(spelled, written)[0][texts.codes], written, review)
    written, review = (None, "") if _coded(spelled) else guess_amounts(texts.distinct[1:].tolist())
    if written is None:
        return None
    found = _of_numbers(as_written(spelled, written)[0][texts.codes], fractions=False)
    if found.kind is None:
        return found
    kind = Kind.INTEGER if found.kind is Kind.FLAG else found.kind
    return replace(found, kind=kind, written=written, told=(*found.told, review) if review else found.told)


def _category(texts: Texts, missing: int, no_numbers: NDArray[np.intp]) -> Column:
    filled = texts.distinct[1:]
    if max(len(text) for text in filled) > LONGEST_CATEGORY:
        return Column(None, f"free text: longer than the {LONGEST_CATEGORY} characters of a category")
    if any("\0" in text for text in filled):
        return Column(None, "it holds NUL characters")
    rows = len(texts.codes)
    if 0 < len(no_numbers) < _FEW_WRONG * (rows - missing) and len(filled) > _FEW:
        return Column(
            None, f"numbers, but for {len(no_numbers):,} cells ({name_rows(no_numbers)}): correct or empty these"
        )
    absent = np.array([str(text).strip().lower() in MISSING_WORDS for text in texts.distinct])
    told = rows - int(texts.counts()[absent].sum())
    if len(filled) > _IDENTIFIER_SHARE * told and rows >= _LEAST_ROWS:
        return Column(None, f"likely an identifier or free text: {len(filled):,} different texts")
    return Column(Kind.CATEGORY, texts=texts, missing=missing)


def _of_numbers(numbers: NDArray[np.float64], *, fractions: bool, title: str = "") -> Column:
    """Judge a column of numbers; `fractions` tells that the table could have held some, the title may tell epochs."""
    filled = numbers[~np.isnan(numbers)]
    distinct = np.unique(filled)
    if not len(filled):
        return Column(None, _EMPTY)
    if len(distinct) == 1 and len(filled) == len(numbers):
        return Column(None, _CONSTANT)
    whole = bool(np.isfinite(distinct).all() and np.all(distinct == np.floor(distinct)))
    if whole and distinct.tolist() == [0.0, 1.0]:
        return _numbers(Kind.FLAG, numbers)
    if whole and (moments := _coded_moments(numbers, distinct, title)) is not None:
        return moments
    # only where integers may be missing does a table have to write them as 5.0
    if not whole or (fractions and len(filled) == len(numbers) and len(distinct) > _FEW):
        return _numbers(Kind.NUMBER, numbers)
    return _numbers(Kind.INTEGER, numbers, "whole numbers only, though the table could hold fractions" * fractions)


def _numbers(kind: Kind, numbers: NDArray[np.float64], told: str = "") -> Column:
    return Column(kind, numbers=numbers, missing=int(np.isnan(numbers).sum()), told=(told,) if told else ())


def _coded(spelled: pa.ChunkedArray) -> bool:
    """Tell whether texts hold numbers with leading zeros: codes, such as postcodes."""
    return bool(pc.any(pc.match_substring_regex(pc.utf8_trim_whitespace(spelled), "^-?0[0-9]")).as_py())


def _coded_moments(numbers: NDArray[np.float64], distinct: NDArray[np.float64], title: str) -> Column | None:
    """Read days written as 20240131, and seconds or milliseconds since 1970 that are named like moments."""
    written = guess_epoch(title, distinct[0], distinct[-1])
    if distinct[0] >= _FIRST_DAY and distinct[-1] <= _LAST_DAY:
        written = Written.COMPACT
    if written is None:
        return None
    days, unreadable = as_written(pa.chunked_array([pa.array(numbers)]), written)
    return None if unreadable.any() else _of_dates(days, written, "")


def round_up(value: float) -> float:
    """Return the next number of the form 1, 2 or 5 times a power of ten that is at least `value` > 0."""
    power = 10.0 ** math.floor(math.log10(value))
    if power == 0 or not math.isfinite(10 * power):
        return value
    for factor in (1.0, 2.0, 5.0, 10.0):
        if factor * power >= value:
            return float(f"{factor * power:.6g}") if float(f"{factor * power:.6g}") >= value else factor * power
    return value
