"""Which column names the entity: the one asked for, or the only one that can be a key."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ebb.errors import DataError
from training.dataset.keys import read_keys
from training.dataset.refusals import Refusals
from training.dataset.texts import as_texts
from training.describe.kinds import is_sequence
from training.describe.names import looks_known_afterwards, looks_like_key, looks_personal
from training.describe.spelled import guess_dates

_LEAST_ROWS, _LONGEST_KEY, _CODED_SHARE, _COLUMNS_NAMED = 20, 64, 0.9, 12


def choose_entity(table: pa.Table, wanted: str | None, label: str, source: str) -> tuple[str | None, str]:
    """Return the key column, or None, and why.

    Raises:
        DataError: the column asked for is not there, or its keys are missing or repeated.
    """
    if wanted is not None:
        if wanted not in table.column_names or wanted == label:
            raise DataError(f"{source} has no column {wanted!r} to name the entity: it has {_named(table)}")
        refusals = Refusals(source, None)
        read_keys(wanted, table[wanted], refusals)
        refusals.raise_if_any()
        return wanted, "as asked for"
    keys = [name for name in table.column_names if name and name != label and can_be_key(name, table[name])]
    if len(keys) == 1:
        return keys[0], "guessed: the only one whose values are never missing, never repeat and look like keys"
    if keys:
        return None, f"{', '.join(map(repr, keys))} could each be a key: choose one with --entity"
    return None, "none found: no column of keys that are never missing and never repeated"


def can_be_key(name: str, column: pa.ChunkedArray) -> bool:
    """Tell whether a column's values are never missing, never repeat and look like keys."""
    if looks_personal(name) or looks_known_afterwards(name):
        return False
    keys = _unique(column)
    if keys is None or guess_dates(keys[:_LEAST_ROWS])[0] is not None:
        return False
    if looks_like_key(name) or len(column) < _LEAST_ROWS:
        return looks_like_key(name)
    if pa.types.is_integer(column.type):
        return is_sequence(column.cast(pa.float64(), safe=False).to_numpy())
    return _short_and_unbroken(keys)


def _unique(column: pa.ChunkedArray) -> list[str] | None:
    """Return the texts of a column of texts or integers that are never missing and never repeat, else None."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        return None
    if column.null_count or pc.count_distinct(column).as_py() < len(column):
        return None
    try:
        keys: list[str] = as_texts(column).distinct[1:].tolist()
    except TypeError:
        return None
    return keys if len(keys) == len(column) else None


def _short_and_unbroken(texts: list[str]) -> bool:
    """Tell codes from numbers, dates and prose: short, without blanks, with a digit, and not all digits and dots."""
    coded = np.array([any(c.isdigit() for c in text) and any(c.isalpha() for c in text) for text in texts])
    unbroken = all(len(text) <= _LONGEST_KEY and not any(c.isspace() for c in text) for text in texts)
    return unbroken and bool(coded.mean() >= _CODED_SHARE)


def _named(table: pa.Table) -> str:
    names = table.column_names
    return ", ".join(map(repr, names[:_COLUMNS_NAMED])) + (", ..." if len(names) > _COLUMNS_NAMED else "")
