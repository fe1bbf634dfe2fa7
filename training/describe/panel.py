"""Tables that hold an entity at several moments: which columns name the entity and the moment."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.contract.feature import Written
from training.dataset.event_times import read_event_times
from training.dataset.keys import read_keys
from training.dataset.refusals import Refusals
from training.describe.entity import choose_entity
from training.describe.names import looks_known_afterwards, looks_like_key, looks_personal
from training.describe.spelled import guess_dates, guess_epoch

_LOOKED_AT, _LEAST_SHARE = 50, 0.02
"""Plans and shops have keys too, but fewer: what is scored has one for every 50 rows at least."""


def choose_key(table: pa.Table, wanted: str | None, label: str, source: str) -> tuple[str | None, str | None, str]:
    """Return the key column, the event-time column and why; a key that never repeats needs no moments.

    Raises:
        DataError: see `choose_entity`.
    """
    found = None if wanted is None else choose_moments(table, wanted, label)
    key, told = (None, "") if found else choose_entity(table, wanted, label, source)
    if key is None and found is None:
        found = choose_moments(table, None, label)
    if found is None:
        return key, None, told
    return found[0], found[1], f"guessed: with {found[1]!r} beside it, its values never repeat"


def choose_moments(table: pa.Table, wanted: str | None, label: str) -> tuple[str, str] | None:
    """Return the key and event-time columns of a table in which each entity has one row a moment; None otherwise.

    Args:
        table: as read.
        wanted: the key asked for; None lets any column that is named like a key be one.
        label: the label's column.
    """
    keys = [wanted] if wanted is not None else [name for name in table.column_names if _may_be_key(name, label)]
    for key in keys:
        if key == label or key not in table.column_names or not _repeats(table[key]):
            continue
        for name, times in _moments(table, key, label):
            if read_keys(key, table[key], Refusals("", None), times) is not None:
                return key, name
    return None


def _may_be_key(name: str, label: str) -> bool:
    return name != label and looks_like_key(name) and not looks_personal(name)


def _repeats(column: pa.ChunkedArray) -> bool:
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        return False
    distinct: int = pc.count_distinct(column).as_py()
    return column.null_count == 0 and _LEAST_SHARE * len(column) <= distinct < len(column)


def _moments(table: pa.Table, key: str, label: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
    for name in table.column_names:
        if name in {key, label} or looks_known_afterwards(name) or not _looks_like_moments(name, table[name]):
            continue
        times = read_event_times(name, table[name], Refusals("", None))
        if times is not None:
            yield name, times


def _looks_like_moments(name: str, column: pa.ChunkedArray) -> bool:
    kind = column.type
    if column.null_count:
        return False
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return True
    if pa.types.is_integer(kind):
        ends = pc.min_max(column).as_py()
        return guess_epoch(name, ends["min"], ends["max"]) is Written.SECONDS
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return guess_dates(column.slice(0, _LOOKED_AT).to_pylist())[0] is Written.YEAR_FIRST
    return False
