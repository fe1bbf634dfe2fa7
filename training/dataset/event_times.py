"""When each row's features were true: the event-time column as epoch seconds."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.dataset.numbers import as_numbers
from training.dataset.refusals import Refusals, name_rows

_MICROSECONDS = 1e6


def read_event_times(name: str, column: pa.ChunkedArray, refusals: Refusals) -> NDArray[np.float64] | None:
    """Read dates, timestamps (without a zone: UTC), ISO 8601 texts or epoch seconds as epoch seconds, float64 [N].

    None where the column is refused: another kind, or a row without a time.
    """
    try:
        seconds = _moments(column) if _is_text(column.type) else _seconds(column)
    except pa.ArrowException:
        refusals.add(_unreadable(name))
        return None
    if len(seconds) and np.isnan(seconds).all() and column.null_count < len(column):
        refusals.add(_unreadable(name))
        return None
    missing = np.flatnonzero(~np.isfinite(seconds))
    if len(missing):
        refusals.add(f"the event-time column {name!r} is missing in {name_rows(missing)} ({len(missing):,} in all)")
        return None
    return seconds


def event_times_by_row(name: str, column: pa.ChunkedArray, refusals: Refusals) -> NDArray[np.float64]:
    """Read what `read_event_times` reads, each row by itself, float64 [N]; NaN where there is no time.

    Texts may also be epoch seconds: csv says nothing of its types. A column of another kind is refused.
    """
    if not _is_text(column.type):
        try:
            return _seconds(column)
        except pa.ArrowException:
            refusals.add(_unreadable(name))
            return np.full(len(column), np.nan)
    seconds, no_number = as_numbers(column)
    rows = np.flatnonzero(no_number)
    if len(rows):
        seconds = seconds.copy()
        seconds[rows] = _moments(column.take(pa.array(rows)))
    return seconds


def _moments(texts: pa.ChunkedArray) -> NDArray[np.float64]:
    """Read ISO 8601 texts, with a zone or without; one at a time where they do not all fit."""
    if pa.types.is_dictionary(texts.type):
        texts = texts.cast(texts.type.value_type)
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return _seconds(texts.cast(kind))
        except pa.ArrowException:
            continue
    if len(texts) <= 1:
        return np.full(len(texts), np.nan)
    half = len(texts) // 2
    return np.concatenate([_moments(texts.slice(0, half)), _moments(texts.slice(half))])


def _seconds(column: pa.ChunkedArray) -> NDArray[np.float64]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    moments = column.cast(pa.timestamp("us", "UTC") if _has_zone(column.type) else pa.timestamp("us"))
    known = pc.divide(moments.cast(pa.int64()).cast(pa.float64()), _MICROSECONDS)
    return np.asarray(known.to_numpy(zero_copy_only=False), np.float64)


def _has_zone(kind: pa.DataType) -> bool:
    return pa.types.is_timestamp(kind) and kind.tz is not None


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _unreadable(name: str) -> str:
    return f"the event-time column {name!r} must hold dates, ISO 8601 times or epoch seconds"
