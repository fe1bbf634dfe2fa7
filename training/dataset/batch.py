"""A batch of a table held against its contract: the rows that fit, and why the others do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract, Kind
from ebb.entity_id import LONGEST
from training.dataset.column_names import match_columns
from training.dataset.event_times import event_times_by_row
from training.dataset.features import accept_numbers, accept_texts
from training.dataset.keys import unfit_codes
from training.dataset.numbers import holds_numbers
from training.dataset.refusals import Refusals
from training.dataset.row_refusals import RowRefusals
from training.dataset.texts import Texts, as_texts

NO_KEY = "is missing"
UNFIT_KEY = f"is no key that a request could name: 1 to {LONGEST} printable characters"
NO_TIME = "is missing, or no date, ISO 8601 time or epoch seconds after 1970"
FUTURE = "lies in the future"


@dataclass(frozen=True)
class Batch:
    """Some rows of a table; all arrays are as long as the batch, refused rows among them.

    Attributes:
        entities: who each row is about; missing or unfit keys are "".
        numbers: float32 [N, n], in the contract's order; NaN is missing.
        categories: [c], in the contract's order; "" is missing.
        event_times: epoch seconds [N]; None where the contract names no column.
        good: bool [N], the rows in which nothing is refused.
        refused: (0-based row, feature or column or "", reason), in the order of the rows.
    """

    entities: Texts
    numbers: NDArray[np.float32]
    categories: tuple[Texts, ...]
    event_times: NDArray[np.float64] | None
    good: NDArray[np.bool_]
    refused: Sequence[tuple[int, str, str]]


def check_columns(contract: Contract, schema: pa.Schema, source: str) -> list[str]:
    """Refuse a table in whole whose columns cannot fit, whatever its rows hold.

    Returns:
        Sentences worth saying to people.

    Raises:
        DataError: a column is missing or of the wrong type; names every one.
    """
    refusals = Refusals(source, contract.name)
    notes = match_columns(contract, schema.names, refusals, labelled=False)
    refusals.raise_if_any()
    for feature in contract.numbers:
        kind = schema.field(feature.column).type
        dated = feature.written.is_date and pa.types.is_temporal(kind)
        if not (dated or holds_numbers(kind, flag=feature.kind is Kind.FLAG)):
            refusals.add(f"column {feature.column!r} holds {kind}, but the contract says {feature.kind.value}")
    refusals.raise_if_any()
    accept_batch(contract, schema.empty_table(), source, first=0, latest=0.0)
    return notes


def needed_columns(contract: Contract) -> list[str]:
    """Return the columns that a load reads."""
    extra = [contract.entity_column, contract.event_time]
    return [f.column for f in contract.features] + [name for name in extra if name is not None]


def accept_batch(
    contract: Contract,
    table: pa.Table,
    source: str,
    *,
    first: int,
    latest: float,
    ragged: Mapping[int, str] = MappingProxyType({}),
) -> Batch:
    """Hold some rows against the contract.

    Args:
        contract: what they must fit.
        table: the rows; holds every needed column.
        source: the table's name for messages.
        first: 0-based position of the first row in the whole table.
        latest: the latest event time that is believed, epoch seconds.
        ragged: rows of the whole table, 0-based, that are refused as they stand, with the reason.

    Raises:
        DataError: a column cannot be read at all.
    """
    broken = {row - first: reason for row, reason in ragged.items() if first <= row < first + table.num_rows}
    refusals = RowRefusals(source, contract.name, {f.column: f.name for f in contract.features}, broken)
    numbers = np.empty((table.num_rows, len(contract.numbers)), np.float32)
    for i, feature in enumerate(contract.numbers):
        numbers[:, i] = accept_numbers(feature, table[feature.column], refusals)
    categories = tuple(accept_texts(f, table[f.column], refusals) for f in contract.categories)
    entities = _entities(contract, table, refusals, first)
    times = _event_times(contract, table, refusals, latest)
    return Batch(entities, numbers, categories, times, refusals.good(table.num_rows), refusals.by_row())


def _entities(contract: Contract, table: pa.Table, refusals: RowRefusals, first: int) -> Texts:
    key = contract.entity_column
    if key is None:
        numbers = [str(row) for row in range(first + 1, first + 1 + table.num_rows)]
        return Texts(np.array(["", *numbers], object), np.arange(1, table.num_rows + 1, dtype=np.int32))
    try:
        texts = as_texts(table[key])
    except TypeError as error:
        refusals.add(f"the key column {key!r} {error}, but must hold plain texts or numbers")
        raise
    refusals.add_rows(key, NO_KEY, np.flatnonzero(texts.missing))
    unfit = unfit_codes(texts)
    if not unfit:
        return texts
    refusals.add_rows(key, UNFIT_KEY, np.flatnonzero(np.isin(texts.codes, unfit)))
    distinct: NDArray[Any] = texts.distinct.copy()
    distinct[unfit] = ""
    return Texts(distinct, texts.codes)


def _event_times(
    contract: Contract, table: pa.Table, refusals: RowRefusals, latest: float
) -> NDArray[np.float64] | None:
    name = contract.event_time
    if name is None:
        return None
    times = event_times_by_row(name, table[name], refusals)
    refuse = partial(refusals.add_rows, name)
    refuse(NO_TIME, np.flatnonzero(~(times > 0)))
    refuse(FUTURE, np.flatnonzero(times > latest))
    return times
