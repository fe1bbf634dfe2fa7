"""A column of numbers that its contract says how to read: dates as days, amounts without their signs."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.contract.feature import Written
from training.dataset.amounts import plain_amounts
from training.dataset.days import NO_DATES, parse_days
from training.dataset.numbers import MISSING_WORDS, Numbers, as_numbers
from training.dataset.texts import as_texts

_DAY_SECONDS = 86_400.0


def as_written(column: pa.ChunkedArray, written: Written) -> Numbers:
    """Read a column as its contract says that it is written; see `Written`.

    Returns:
        As `as_numbers`: float64 [N] with NaN where missing or unreadable, and bool [N], where a value is there that
        cannot be read so. Dates are days since 1970-01-01.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_temporal(kind):
        return _of_moments(column.cast(kind)) if written.is_date else _unreadable(column)
    if written in {Written.SECONDS, Written.MILLISECONDS}:
        values, bad = as_numbers(column)
        return values / (_DAY_SECONDS * (1 if written is Written.SECONDS else 1_000)), bad
    if written is Written.PLAIN or not (_is_text(kind) or written is Written.COMPACT):
        return as_numbers(column) if not written.is_date else _unreadable(column)
    return _of_texts(column, written)


def _of_texts(column: pa.ChunkedArray, written: Written) -> Numbers:
    try:
        texts = as_texts(column)
    except TypeError:
        return _unreadable(column)
    spelled = pc.utf8_trim_whitespace(pa.array(texts.distinct, pa.large_string()))
    words = (*MISSING_WORDS, *NO_DATES) if written.is_date else MISSING_WORDS
    missing = np.asarray(pc.is_in(pc.utf8_lower(spelled), value_set=pa.array(words, pa.large_string())))
    values = np.full(len(spelled), np.nan)
    filled = np.flatnonzero(~missing)
    values[filled] = read_spelled(spelled.take(pa.array(filled)), written)
    bad = ~missing & np.isnan(values)
    return values[texts.codes], bad[texts.codes]


def read_spelled(texts: pa.Array, written: Written) -> NDArray[np.float64]:
    """Read trimmed texts, none of them missing, float64 [N]; NaN where one cannot be read."""
    if written.is_date:
        return parse_days(texts, written)
    plain = plain_amounts(texts, written)
    return np.asarray(as_numbers(pa.chunked_array([plain]))[0], np.float64)


def _of_moments(column: pa.ChunkedArray) -> Numbers:
    """Read typed dates and timestamps; those without a zone are UTC. A time of day alone is none."""
    try:
        micro = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False).cast(pa.int64())
    except pa.ArrowException:
        return _unreadable(column)
    days = pc.divide(micro.cast(pa.float64(), safe=False), _DAY_SECONDS * 1e6)
    return np.asarray(days.to_numpy(), np.float64), np.zeros(len(column), bool)


def _unreadable(column: pa.ChunkedArray) -> Numbers:
    return np.full(len(column), np.nan), np.asarray(pc.is_valid(column).to_numpy(), bool)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))
