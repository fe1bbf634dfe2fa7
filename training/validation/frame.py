"""A table as the frame that Great Expectations looks at: typed by the contract, refusing nothing yet.

Beside the table's own columns stand a few made for judging, named by `fact`: `readable` (bool), `present` (None where
missing; only where something cannot be read), `whole` (bool), `positive` (1 or 0), `mature` (bool), and, only where a
key is missing, `single` and `single at its moment` (bool).
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract, Feature, Kind
from ebb.features.values import LONGEST_CATEGORY
from training.dataset.event_times import event_times_by_row
from training.dataset.label import same_value
from training.dataset.numbers import as_flags
from training.dataset.refusals import Refusals
from training.dataset.texts import Texts, as_texts
from training.dataset.written import as_written
from training.validation.expected import fact
from training.validation.suite import DAY

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, NDArray[Any]]


def frame_of_table(contract: Contract, table: pa.Table, now: float) -> "pd.DataFrame":
    """Read the columns that the contract names as far as the table has them; N rows.

    Args:
        contract: says how they are read.
        table: as read from a file.
        now: the moment of judging, epoch seconds.
    """
    import pandas as pd  # noqa: PLC0415 - takes a second

    held = set(table.column_names)
    made: Columns = {}
    for feature in contract.features:
        if feature.column in held:
            read = _category if feature.is_category else _numbers
            read(made, feature, table[feature.column])
    if contract.entity_column is not None and contract.entity_column in held:
        made[contract.entity_column] = _spelled(table[contract.entity_column])
    when = contract.event_time
    if when is not None and when in held:
        made[when] = event_times_by_row(when, table[when], Refusals("", None))
    if contract.entity_column in made:
        _keys(made, str(contract.entity_column), when)
    if contract.label.column in held:
        label = contract.label.column
        texts = _spelled(table[label])
        made[label] = np.array([None if text is None else same_value(text) for text in texts], object)
        _outcome(made, contract, made[label] == same_value(contract.label.positive), now)
    return pd.DataFrame(made, copy=False)


def _numbers(made: Columns, feature: Feature, column: pa.ChunkedArray) -> None:
    values, unreadable = as_flags(column) if feature.kind is Kind.FLAG else as_written(column, feature.written)
    made[feature.column] = values
    made[fact(feature.column, "readable")] = ~unreadable
    if unreadable.any():
        made[fact(feature.column, "present")] = np.where(np.isnan(values) & ~unreadable, np.nan, 1.0)
    if feature.kind is Kind.INTEGER:
        made[fact(feature.column, "whole")] = np.isnan(values) | (values == np.floor(values))


def _category(made: Columns, feature: Feature, column: pa.ChunkedArray) -> None:
    values, readable = _texts(column)
    made[feature.column] = values
    made[fact(feature.column, "readable")] = readable
    if not readable.all():
        made[fact(feature.column, "present")] = np.where((values == None) & readable, np.nan, 1.0)  # noqa: E711 - by element


def _keys(made: Columns, key: str, when: str | None) -> None:
    """Tell which rows share their key, where some have none: these are missing, and repeat nothing."""
    import pandas as pd  # noqa: PLC0415 - see `frame_of_table`

    moments = [when] if when is not None and when in made else []
    keys = pd.DataFrame({name: made[name] for name in (key, *moments)})
    known = ~keys[key].isna().to_numpy(bool)
    if not known.all():
        made[fact(key, "single")] = ~(keys.duplicated(key, keep=False).to_numpy(bool) & known)
        made[fact(key, "single at its moment")] = ~(keys.duplicated(keep=False).to_numpy(bool) & known)


def _spelled(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return texts of any length, object [N] with None where missing."""
    try:
        texts = as_texts(column)
    except TypeError:
        return np.full(len(column), None, object)
    distinct = texts.distinct.copy()
    distinct[0] = None
    return Texts(distinct, texts.codes).values()


def _texts(column: pa.ChunkedArray) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return texts, object [N] with None where missing, and whether each can be a category, bool [N]."""
    try:
        texts = as_texts(column)
    except TypeError:
        return np.full(len(column), None, object), np.zeros(len(column), bool)
    fits = np.array([len(text) <= LONGEST_CATEGORY and "\0" not in text for text in texts.distinct])
    distinct = texts.distinct.copy()
    distinct[0] = None
    distinct[~fits] = None
    return Texts(distinct, texts.codes).values(), fits[texts.codes]


def _outcome(made: Columns, contract: Contract, positive: NDArray[np.bool_], now: float) -> None:
    label = contract.label.column
    made[fact(label, "positive")] = np.where(made[label] == None, np.nan, positive)  # noqa: E711 - by element
    if contract.event_time is not None and contract.event_time in made:
        # A positive outcome may be known early; a negative one never is.
        open_since = now - contract.label.window_days * DAY
        made[fact(contract.event_time, "mature")] = positive | ~(made[contract.event_time] > open_since)
