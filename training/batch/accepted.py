"""Rows of a table to be scored, held against the contract as a bulk load holds them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.errors import DataError
from training.batch.keys import REPEATED, Keys, read_keys, row_keys
from training.dataset.batch import NO_KEY, UNFIT_KEY, Batch, accept_batch
from training.dataset.texts import Texts

Refused = tuple[int, str, str]
"""0-based row of the batch, feature or column or "", reason."""


@dataclass(frozen=True)
class Accepted:
    """The rows of a batch that fit, and why the others do not.

    Attributes:
        keys: string [N], of all rows; "" where missing or unfit.
        good: 0-based rows that fit, [G].
        numbers: float32 [G, n].
        categories: [c], of G rows each.
        refused: in the order of the rows.
    """

    keys: pa.Array
    good: NDArray[np.intp]
    numbers: NDArray[np.float32]
    categories: tuple[Texts, ...]
    refused: list[Refused]


def accept(
    contract: Contract,
    table: pa.Table,
    source: str,
    *,
    first: int,
    ragged: Mapping[int, str],
    repeated: Collection[str],
) -> Accepted:
    """Hold some rows against the contract.

    Args:
        contract: what they must fit.
        table: the rows; holds every column that the contract needs.
        source: the table's name for messages.
        first: 0-based position of the first row in the whole table.
        ragged: rows of the whole table, 0-based, that are refused as they stand, with the reason.
        repeated: keys that more than one row has.

    Raises:
        DataError: a column cannot be read at all.
    """
    batch = accept_batch(
        replace(contract, entity_column=None), table, source, first=first, latest=float("inf"), ragged=ragged
    )
    keys = _keys(contract, table, source, first)
    name = contract.entity_column or ""
    reasons = {NO_KEY: keys.missing, UNFIT_KEY: keys.unfit, REPEATED: keys.among(repeated)}
    gaps = {row - first for row in ragged}
    unkeyed = [(int(row), name, why) for why, rows in reasons.items() for row in rows if int(row) not in gaps]
    refused = sorted([*batch.refused, *unkeyed], key=itemgetter(0)) if unkeyed else list(batch.refused)
    return _kept(batch, keys, refused)


def _keys(contract: Contract, table: pa.Table, source: str, first: int) -> Keys:
    if contract.entity_column is None:
        return row_keys(first, table.num_rows)
    try:
        return read_keys(table[contract.entity_column])
    except TypeError as error:
        raise DataError(
            f"{source} does not fit the contract {contract.name!r}: the key column {contract.entity_column!r} {error}, "
            "but must hold plain texts or numbers"
        ) from None


def _kept(batch: Batch, keys: Keys, refused: list[Refused]) -> Accepted:
    rows = len(batch.good)
    if not refused:
        return Accepted(keys.texts, np.arange(rows), batch.numbers, batch.categories, refused)
    fits = np.ones(rows, bool)
    fits[[row for row, _, _ in refused]] = False
    good = np.flatnonzero(fits)
    categories = tuple(Texts(texts.distinct, texts.codes[good]) for texts in batch.categories)
    return Accepted(keys.texts, good, batch.numbers[good], categories, refused)
