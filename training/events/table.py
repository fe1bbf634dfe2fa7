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

BUILT, KEYS = "built", "keys"


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


def add_rows(engine: Engine, key: str, parts: Sequence[Part], order: Sequence[str]) -> int:
    """Join the parts of one snapshot and add them to the built table.

    An entity that one feature set knows and another does not has no values of the other.

    Args:
        engine: has the keys and the parts.
        key: the key column's name.
        parts: the feature sets, and the label where it was asked for.
        order: the features' columns as the contract has them; the label follows.

    Returns:
        How many rows.
    """
    selected = {
        column.name: f"CAST({part.table}.{quoted(column.name)} AS {kind}) AS {quoted(column.name)}"
        for part in parts
        for column, kind in zip(part.columns, part.types, strict=True)
    }
    columns = [selected.pop(name) for name in order] + list(selected.values())
    joins = " ".join(f"LEFT JOIN {part.table} ON {part.table}.{ENTITY} = {KEYS}.{ENTITY}" for part in parts)
    select = (
        f"SELECT CAST({KEYS}.{ENTITY} AS VARCHAR) AS {quoted(key)}, "
        f"{KEYS}.{SNAPSHOT_TIME} AT TIME ZONE 'UTC' AS {SNAPSHOT_TIME}, {', '.join(columns)} FROM {KEYS} {joins}"
    )
    engine.run(f"CREATE TEMP TABLE IF NOT EXISTS {BUILT} AS {select} LIMIT 0", "the built table")
    return int(engine.run(f"INSERT INTO {BUILT} {select}", "the built table")[0][0])


def write_table(engine: Engine, key: str, out: Path, advance: Advance) -> None:
    """Write the built table beside its target, then rename.

    Raises:
        DataError: it cannot be written; what was there before still stands.
    """
    select = f"SELECT * FROM {BUILT} ORDER BY {quoted(key)}, {SNAPSHOT_TIME}"
    try:
        with replaced(out) as partial:
            target = "'" + str(partial).replace("'", "''") + "'"
            copy = f"COPY ({select}) TO {target} (FORMAT parquet, COMPRESSION zstd)"
            engine.run(copy, f"{out} cannot be written", advance)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}; nothing was kept") from None
