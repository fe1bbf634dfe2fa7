"""What a table of any size holds, told by DuckDB in one pass over its Parquet within bounded memory.

Columns of text are counted by text in a pass of their own each, which reads that one column; where there are more
than `MANY_TEXTS` different ones, only the commonest are kept.
"""

# ruff: noqa: S608 - names are quoted, and there are no values but bounds and the label's

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ebb.contract import Contract
from training.dataset.parquet_file import parquet_schema, part_files
from training.events.engine import Advance, Engine
from training.validation.profile_columns import Column, columns_of
from training.validation.profile_sql import aggregates, projection, repeated_sql, texts_sql

EXACT_ROWS = 1_000_000
"""Up to so many rows different values are counted exactly, beyond within about 2 % (HyperLogLog)."""

MANY_TEXTS = 100_000
KEYS_CHECKED = 20_000_000
"""So many keys are held against each other; of more, a share by their hash: all rows of a chosen key are among them."""


@dataclass
class ColumnProfile:
    """What one column holds.

    Attributes:
        figures: by name: `filled`, `unreadable`, `least`, `most`, `distinct`, `outside`, `fractions`, `late`, ...
        above: rows at or above each edge of the reference, in the edges' order.
        texts: rows by text, the commonest first; empty for numbers.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    above: list[int] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """What a table holds.

    Attributes:
        rows: how many.
        columns: by the table's names.
        repeated: rows that share their key, scaled up where only a share of the keys was looked at; None without a key.
        immature: negative labels whose window is still open; None where there is no label or time.
    """

    rows: int
    columns: Mapping[str, ColumnProfile]
    repeated: float | None = None
    immature: int | None = None

    @property
    def filled(self) -> frozenset[str]:
        """Columns in which nothing is missing."""
        return frozenset(name for name, column in self.columns.items() if column.figures["filled"] == self.rows)


def profile(
    engine: Engine,
    path: Path,
    contract: Contract,
    *,
    now: float,
    edges: Mapping[str, tuple[float, ...]],
    advance: Advance | None = None,
    keys_checked: int = KEYS_CHECKED,
    moments: bool = True,
) -> Profile:
    """Profile a Parquet file or a folder of them.

    Args:
        engine: DuckDB within bounds.
        path: the file or folder.
        contract: says what the columns are; of a table of events, all columns are profiled.
        now: the moment of judging, epoch seconds.
        edges: of the reference's bins, by column.
        advance: told of hundredths as they are done.
        keys_checked: of more rows, a share of the keys is held against each other, about so many.
        moments: whether an entity may have a row a moment, else one row alone.

    Raises:
        DataError: the files cannot be read.
    """
    rows = parquet_schema(path)[1]
    # A file's statistics leave NaN out, and DuckDB 2.0 concludes from them that none is there.
    engine.run("SET disabled_optimizers = 'statistics_propagation'", str(path))
    source = _source(path)
    types = engine.columns(f"SELECT * FROM {source}", str(path))
    columns = columns_of(contract, types, now, edges)
    exact = rows <= EXACT_ROWS
    asked = [part for i, column in enumerate(columns) for part in aggregates(column, i, exact=exact)]
    inner = f"SELECT {projection(columns)} FROM {source}"
    told = list(engine.run(f"SELECT {', '.join(['count(*)', *asked])} FROM ({inner})", str(path), advance)[0])
    found = _found(columns, told[1:])
    for column in columns:
        if column.is_text and column.counted:
            few = found[column.name].figures["distinct"] <= MANY_TEXTS
            counted = engine.run(texts_sql(column, source, MANY_TEXTS if few else 1_000), str(path))
            found[column.name].texts = {str(text): int(count) for text, count in counted}
    parts = max(1, -(-rows // keys_checked))
    told_apart = columns if moments else [column for column in columns if column.use != "time"]
    repeated = _repeated(engine, contract, told_apart, source, parts)
    return Profile(int(told[0]), found, repeated, _immature(columns, found))


def _found(columns: list[Column], told: list[Any]) -> dict[str, ColumnProfile]:
    found, place = {}, 0
    for column in columns:
        names = column.figures()
        values = told[place : place + len(names)]
        above = told[place + len(names) : place + len(names) + len(column.edges)]
        place += len(names) + len(column.edges)
        found[column.name] = ColumnProfile(dict(zip(names, values, strict=True)), [int(n) for n in above])
    return found


def _repeated(engine: Engine, contract: Contract, columns: list[Column], source: str, parts: int) -> float | None:
    by_use = {column.use: column for column in columns}
    if contract.entity_column is None or "key" not in by_use:
        return None
    found = engine.run(repeated_sql(by_use["key"], by_use.get("time"), source, parts), contract.entity_column)[0][0]
    return float(found or 0) * parts


def _immature(columns: list[Column], found: Mapping[str, ColumnProfile]) -> int | None:
    label = next((column for column in columns if column.use == "label"), None)
    return None if label is None else found[label.name].figures.get("immature")


def _source(path: Path) -> str:
    """Return the files as a relation; what DuckDB would take for a pattern is escaped."""
    names = ("".join(f"[{c}]" if c in "*?[" else c for c in str(file)) for file in part_files(path))
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in names)
    return f"read_parquet([{listed}], union_by_name = true)"
