"""One shard of a world of events: some customers with all their months, made from its own number and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.synthesize.account_events import Missing, account, account_events, no_credit_file
from training.synthesize.customers import Customers, draw_customers
from training.synthesize.event_schema import CUSTOMERS, EVENTS, KEY, NAMES, OUTCOMES, SCHEMAS, TABLES, TRUTH, filled
from training.synthesize.lives import Lived, live
from training.synthesize.options import Options
from training.synthesize.seasons import moment
from training.synthesize.use_events import use_events
from training.synthesize.world import make_world, shard_random

SHARD_CUSTOMERS = 16_384
_COUNTED_UP = {
    EVENTS: (KEY,),
    CUSTOMERS: (KEY,),
    OUTCOMES: (KEY, "snapshot_time", "known_at"),
    TRUTH: (KEY, "snapshot_time"),
}
"""Columns in which neighbours are close, stored as differences."""


def _nothing() -> None:
    """Tell nobody."""


def shards_of(options: Options) -> int:
    """Return how many shards a world has."""
    return -(-options.customers // SHARD_CUSTOMERS)


def make_shard(
    options: Options, shard: int, sinks: Mapping[str, Any], done: Callable[[], None] = _nothing
) -> dict[str, int]:
    """Write one shard's four files, whose bytes depend on options and shard alone.

    Args:
        options: of the world.
        shard: from 0 on.
        sinks: where to write each of `event_schema.TABLES`: paths, or Arrow's output streams.
        done: called after each month.

    Returns:
        The rows of each file.

    Raises:
        OSError: a file cannot be written.
    """
    first = shard * SHARD_CUSTOMERS
    keys = np.arange(first + 1, min(first + SHARD_CUSTOMERS, options.customers) + 1)
    random = shard_random(options.seed, shard)
    customers = draw_customers(random, make_world(options.seed), len(keys))
    people = _People(keys, customers, {"credit_score": no_credit_file(random, customers)})
    writers: dict[str, pq.ParquetWriter] = {}
    rows = dict.fromkeys(TABLES, 0)
    try:
        for name in TABLES:
            writers[name] = _writer(name, sinks[name])
        for name, table in _tables(random, options, people, done):
            writers[name].write_table(table, row_group_size=max(table.num_rows, 1))
            rows[name] += table.num_rows
    finally:
        for writer in writers.values():
            writer.close()
    return rows


def measure_shard(options: Options) -> int:
    """Return how many bytes the first shard of a world takes; nothing is written."""
    sinks = {name: pa.BufferOutputStream() for name in TABLES}
    make_shard(options, 0, sinks)
    return sum(sink.getvalue().size for sink in sinks.values())


@dataclass(frozen=True)
class _People:
    """The customers of a shard: their keys, what does not change about them, and where that is missing."""

    keys: NDArray[np.int64]
    customers: Customers
    gaps: Missing


def _tables(
    random: np.random.Generator, options: Options, people: _People, done: Callable[[], None]
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the row groups of each file in their order."""
    keys, customers = people.keys, people.customers
    before: tuple[NDArray[np.float64], NDArray[np.bool_]] = (np.zeros(len(keys)), np.zeros(len(keys), bool))
    for lived in live(random, make_world(options.seed), customers, options):
        if lived.month.index == 0:
            yield CUSTOMERS, _at_start(people, lived)
        yield EVENTS, account_events(random, keys, customers, lived, people.gaps)
        yield EVENTS, use_events(random, keys, customers, lived)
        if lived.month.index:
            yield OUTCOMES, _outcomes(keys, lived)
            yield TRUTH, _truth(keys, lived, *before)
        before = (lived.satisfaction, lived.intent)
        done()


def _writer(name: str, sink: Any) -> pq.ParquetWriter:
    schema = SCHEMAS[name]
    encoding = dict.fromkeys(_COUNTED_UP[name], "DELTA_BINARY_PACKED")
    texts = [column for column in schema.names if column in NAMES]
    return pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=texts, column_encoding=encoding)


def _at_start(people: _People, lived: Lived) -> pa.Table:
    """Return what is known of all customers of the shard, those of later months too."""
    started = lived.stays & ~lived.joins
    everybody = np.arange(len(people.keys))
    told = account(people.customers, everybody, np.where(started, lived.tenure, 0), people.gaps)
    told |= {KEY: pa.array(people.keys), "joined_before": pa.array(started)}
    told["cents"] = pa.array((lived.charge - lived.rise).astype(np.int32))
    return filled(SCHEMAS[CUSTOMERS], len(everybody), told)


def _at(lived: Lived, months: int, rows: int) -> pa.Array:
    return pa.array(np.full(rows, moment(lived.month.index + months)))


def _outcomes(keys: NDArray[np.int64], lived: Lived) -> pa.Table:
    who = lived.at_risk
    rows = int(who.sum())
    columns = [pa.array(keys[who]), _at(lived, 0, rows), _at(lived, 1, rows), pa.array(lived.left[who])]
    return pa.table(columns, schema=SCHEMAS[OUTCOMES])


def _truth(
    keys: NDArray[np.int64], lived: Lived, satisfaction: NDArray[np.float64], intent: NDArray[np.bool_]
) -> pa.Table:
    """Return the truth as of the month's start: the probability, and the hidden state that it follows from."""
    who = lived.at_risk
    felt = satisfaction[who].astype(np.float32)
    columns = [keys[who], _at(lived, 0, len(felt)), lived.chance[who], felt, intent[who]]
    return pa.table([pa.array(column) for column in columns], schema=SCHEMAS[TRUTH])
