"""The built table: feature sets beside each other, the label where asked for, in a fixed order, whole or not at all."""

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

KEYS = "keys"


@dataclass(frozen=True)
class Part:
    """The result of one SQL file.

    Attributes:
        table: its temporary table.
        columns: of it.
        types: in which each is stored.
    """

    table: str
    columns: Sequence[Column]
    types: Sequence[str]


def gather_keys(engine: Engine, parts: Sequence[Part], snapshot: datetime) -> int:
    """Gather who stands in any of the feature sets, and return how many they are."""
    rows = " UNION ".join(f"SELECT {ENTITY} FROM {part.table}" for part in parts)
    select = f"SELECT {ENTITY}, {moment(snapshot)} AS {SNAPSHOT_TIME} FROM ({rows})"
    engine.run(f"CREATE OR REPLACE TEMP TABLE {KEYS} AS {select}", "the built table")
    return int(engine.run(f"SELECT COUNT(*) FROM {KEYS}", "the built table")[0][0])


def join_parts(engine: Engine, key: str, parts: Sequence[Part], order: Sequence[str], into: str) -> int:
    """Join the parts of one snapshot into a table of its own.

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
        f"{first}.{SNAPSHOT_TIME} AT TIME ZONE 'UTC' AS {SNAPSHOT_TIME}, {', '.join(columns)} FROM {first} {joins}"
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


def write_table(engine: Engine, key: str, built: Sequence[str], out: Path, advance: Advance) -> None:
    """Write the built table beside its target, then rename.

    Args:
        engine: has the tables of the snapshots.
        key: the key column's name.
        built: names of these tables.
        out: the parquet file.
        advance: told of hundredths.

    Raises:
        DataError: it cannot be written; what was there before still stands.
    """
    rows = " UNION ALL ".join(f"SELECT * FROM {table}" for table in built)
    select = f"SELECT * FROM ({rows}) ORDER BY {quoted(key)}, {SNAPSHOT_TIME}"
    try:
        with replaced(out) as partial:
            target = "'" + str(partial).replace("'", "''") + "'"
            copy = f"COPY ({select}) TO {target} (FORMAT parquet, COMPRESSION zstd)"
            engine.run(copy, f"{out} cannot be written", advance)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}; nothing was kept") from None
