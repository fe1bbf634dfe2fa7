"""Keys that more than one row has, found in tables that are not too long for it."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ebb.contract import Contract
from ebb.errors import DataError
from training.batch.keys import read_keys
from training.batch.shards import Shard
from training.dataset.stream import open_stream

MOST_KEYS = 1_000_000
"""Keys that are held at once to be compared: what more of them would take grows with the table."""

_ROWS = 1 << 16


def look_through(shards: Sequence[Shard], contract: Contract) -> tuple[int, frozenset[str] | None]:
    """Count the rows, and find repeated keys.

    Args:
        shards: all of a table.
        contract: names the key column.

    Returns:
        Rows, and the keys that more than one row has; None where there are too many rows to tell.

    Raises:
        DataError: a csv file is no UTF-8.
    """
    rows = sum(shard.rows or 0 for shard in shards)
    known = all(shard.rows is not None for shard in shards)
    key = contract.entity_column
    if known and (key is None or rows > MOST_KEYS):
        return rows, frozenset() if key is None else None
    held: list[pa.Array] = []
    rows = 0
    for shard in shards:
        if shard.rows == 0:
            continue
        stream = open_stream(shard.path)
        for table in stream.batches([key or stream.schema.names[0]], _ROWS):
            rows += table.num_rows
            stream.ragged.clear()
            if rows > MOST_KEYS or key is None:
                held.clear()
            else:
                held.append(_keys(contract, shard, table[key]))
    if rows > MOST_KEYS and key is not None:
        return rows, None
    return rows, _repeated(held)


def _keys(contract: Contract, shard: Shard, column: pa.ChunkedArray) -> pa.Array:
    try:
        return read_keys(column).texts
    except TypeError as error:
        raise DataError(
            f"{shard.path} does not fit the contract {contract.name!r}: the key column {contract.entity_column!r} "
            f"{error}, but must hold plain texts or numbers"
        ) from None


def _repeated(held: Sequence[pa.Array]) -> frozenset[str]:
    if not held:
        return frozenset()
    counts = pa.chunked_array(held, pa.string()).value_counts()
    values, times = counts.field("values"), counts.field("counts")
    return frozenset(values.filter(pc.greater(times, 1)).to_pylist()) - {""}
