"""The built table: feature sets beside each other, the label where asked for, in a fixed order, whole or not at all.

The order is that of the snapshots, and within each that of the keys as texts. Each snapshot is sorted on its own and
written while the next one is built, so neither another sort nor a copy of all of them is needed.
"""

# ruff: noqa: S608 - names are quoted or Ebb's own, and there are no values but moments

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ebb.contract import SNAPSHOT_TIME
from ebb.errors import DataError
from ebb.synced import replaced
from training.events.engine import Engine
from training.events.relations import ENTITY, moment, quoted
from training.events.sets import Column
from training.events.snapshots import told

KEYS = "keys"
_ROWS = 122_880
"""Of a row group, as DuckDB writes them."""
_BITS = 60
"""Of a number that has one for each feature set; where two share one, all are looked at more closely."""


@dataclass(frozen=True)
class Part:
    """The result of one SQL file.

    Attributes:
        source: the file's name.
        table: its temporary table.
        columns: of it.
        types: in which each is stored.
    """

    source: str
    table: str
    columns: Sequence[Column]
    types: Sequence[str]


def gather_keys(engine: Engine, parts: Sequence[Part], snapshot: datetime) -> int:
    """Gather who stands in any of the feature sets, and return how many they are.

    Raises:
        DataError: an entity has two rows in one of them.
    """
    # A bit for each set an entity stands in: who has more rows than bits stands twice in one of them.
    rows = " UNION ALL ".join(
        f"SELECT {ENTITY}, CAST({1 << i % _BITS} AS BIGINT) AS bit FROM {part.table}" for i, part in enumerate(parts)
    )
    select = (
        f"SELECT {ENTITY}, {moment(snapshot)} AS {SNAPSHOT_TIME}, COUNT(*) AS times, BIT_COUNT(BIT_OR(bit)) AS sets "
        f"FROM ({rows}) GROUP BY {ENTITY}"
    )
    engine.run(f"CREATE OR REPLACE TEMP TABLE {KEYS} AS {select}", "the built table")
    known, clear = engine.run(f"SELECT COUNT(*), COALESCE(BOOL_AND(times = sets), TRUE) FROM {KEYS}", "the table")[0]
    if not clear:
        for part in parts:
            refuse_repeated(engine, part, snapshot)
    return int(known)


def refuse_repeated(engine: Engine, part: Part, snapshot: datetime) -> None:
    """Refuse a part in which an entity has two rows.

    Raises:
        DataError: says how many rows are too many.
    """
    counts = f"SELECT COUNT({ENTITY}) - COUNT(DISTINCT {ENTITY}) FROM {part.table}"
    if repeated := engine.run(counts, part.source)[0][0]:
        raise DataError(
            f"{part.source} yields more than one row for an entity at the snapshot {told(snapshot)} ({repeated:,} too "
            f"many): group by {ENTITY} and {SNAPSHOT_TIME}"
        )


def join_parts(engine: Engine, key: str, parts: Sequence[Part], order: Sequence[str]) -> pa.Table:
    """Join the parts of one snapshot into one table, sorted by its key.

    An entity that one feature set knows and another does not has no values of the other.

    Args:
        engine: has the keys and the parts.
        key: the key column's name.
        parts: the feature sets, and the label where it was asked for.
        order: the features' columns as the contract has them; the label follows.
    """
    selected = {
        column.name: f"CAST({part.table}.{quoted(column.name)} AS {kind}) AS {quoted(column.name)}"
        for part in parts
        for column, kind in zip(part.columns, part.types, strict=True)
    }
    columns = [selected.pop(name) for name in order] + list(selected.values())
    first = _everybody(engine, parts)
    joins = " ".join(
        f"LEFT JOIN {part.table} ON {part.table}.{ENTITY} = {first}.{ENTITY}" for part in parts if part.table != first
    )
    select = (
        f"SELECT CAST({first}.{ENTITY} AS VARCHAR) AS {quoted(key)}, "
        f"{first}.{SNAPSHOT_TIME} AT TIME ZONE 'UTC' AS {SNAPSHOT_TIME}, {', '.join(columns)} FROM {first} {joins} "
        f"ORDER BY {quoted(key)}"
    )
    return engine.arrow(select, "the built table")


def _everybody(engine: Engine, parts: Sequence[Part]) -> str:
    """Return the table to join the others to: the widest part in which everybody stands, else the keys.

    Entities are unique in each part and all of them are among the keys, so it is a matter of counting. What is joined
    to is passed through; what is joined is first put into a hash table, the dearer the wider it is.
    """
    counts = ", ".join(f"(SELECT COUNT(*) FROM {part.table})" for part in parts)
    known, *rows = engine.run(f"SELECT (SELECT COUNT(*) FROM {KEYS}), {counts}", "the built table")[0]
    whole = [part for part, count in zip(parts, rows, strict=True) if count == known]
    return max(whole, key=lambda part: len(part.columns)).table if whole else KEYS


class TableFile:
    """The built table's file: each snapshot is written beside the work on the next one.

    Args:
        path: where it is written.

    Raises:
        OSError: it cannot be written; every method raises it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="table")
        self._pending: Future[None] | None = None

    def append(self, table: pa.Table) -> None:
        """Take a snapshot's rows; wait for those before, so that two snapshots are held at most."""
        self._settle()
        self._pending = self._beside.submit(self._write, table)

    def close(self) -> None:
        """Write what is left, and the file's end."""
        self._settle()
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Let go of thread and file, whatever became of them; a snapshot that is being written is waited for."""
        self._beside.shutdown()
        if self._writer is not None:
            with suppress(OSError):  # the error that came before matters more
                self._writer.close()

    def _settle(self) -> None:
        if self._pending is not None:
            self._pending.result()

    def _write(self, table: pa.Table) -> None:
        if self._writer is None:
            texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
            self._writer = pq.ParquetWriter(
                self._path, table.schema, compression="zstd", compression_level=1, use_dictionary=texts
            )
        self._writer.write_table(table, row_group_size=_ROWS)


@contextmanager
def table_file(out: Path) -> Iterator[TableFile]:
    """Lend a file beside its target, which takes its place in the end: whole, or not at all.

    Raises:
        DataError: it cannot be written; what was there before still stands.
    """
    try:
        with replaced(out) as partial:
            file = TableFile(partial)
            try:
                yield file
                file.close()
            finally:
                file.abandon()
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}; nothing was kept") from None
