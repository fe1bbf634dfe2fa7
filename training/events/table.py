"""The built table: feature sets beside each other, the label where asked for, in a fixed order, whole or not at all.

The order is that of the snapshots, and within each that of the keys as texts. Each snapshot is sorted on its own while
it is joined, so the file is written without another sort over all of them.
"""

# ruff: noqa: S608 - names are quoted or Ebb's own, and there are no values but moments

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ebb.contract import SNAPSHOT_TIME
from ebb.errors import DataError
from ebb.synced import replaced
from training.events.engine import Advance, Engine
from training.events.relations import ENTITY, moment, quoted
from training.events.sets import Column
from training.events.snapshots import told

KEYS = "keys"
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


def join_parts(engine: Engine, key: str, parts: Sequence[Part], order: Sequence[str], into: str) -> int:
    """Join the parts of one snapshot into a table of its own, sorted by its key.

    An entity that one feature set knows and another does not has no values of the other.

    Args:
        engine: has the keys and the parts.
        key: the key column's name.
        parts: the feature sets, and the label where it was asked for.
        order: the features' columns as the contract has them; the label follows.
        into: the table's name.

    Returns:
        How many rows.
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
    return int(engine.run(f"CREATE TEMP TABLE {into} AS {select}", "the built table")[0][0])


def _everybody(engine: Engine, parts: Sequence[Part]) -> str:
    """Return the table to join the others to: the widest part in which everybody stands, else the keys.

    Entities are unique in each part and all of them are among the keys, so it is a matter of counting. What is joined
    to is passed through; what is joined is first put into a hash table, the dearer the wider it is.
    """
    counts = ", ".join(f"(SELECT COUNT(*) FROM {part.table})" for part in parts)
    known, *rows = engine.run(f"SELECT (SELECT COUNT(*) FROM {KEYS}), {counts}", "the built table")[0]
    whole = [part for part, count in zip(parts, rows, strict=True) if count == known]
    return max(whole, key=lambda part: len(part.columns)).table if whole else KEYS


def write_table(engine: Engine, built: Sequence[str], out: Path, advance: Advance) -> None:
    """Write the built table beside its target, then rename.

    Args:
        engine: has the tables of the snapshots.
        built: names of these tables, in the order of the snapshots.
        out: the parquet file.
        advance: told of hundredths.

    Raises:
        DataError: it cannot be written; what was there before still stands.
    """
    select = " UNION ALL ".join(f"SELECT * FROM {table}" for table in built)
    try:
        with replaced(out) as partial:
            target = "'" + str(partial).replace("'", "''") + "'"
            copy = f"COPY ({select}) TO {target} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
            engine.run(copy, f"{out} cannot be written", advance)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}; nothing was kept") from None
