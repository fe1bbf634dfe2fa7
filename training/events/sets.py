"""One SQL file on one snapshot: what it must yield, what it did yield, and who says so when it does not."""

# ruff: noqa: S608 - names are quoted or Ebb's own, and there are no values but moments

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ebb.contract import SNAPSHOT_TIME, Feature, Kind
from ebb.errors import DataError
from training.events.engine import Advance, Engine
from training.events.plan import Plan
from training.events.portable import Columns, PortableSql
from training.events.relations import ENTITY, moment, quoted
from training.events.snapshots import told

_NUMBERS = {
    *(
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
    ),
    *("FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN"),
}
_TEXTS = {"VARCHAR", "UUID"}
_STORED = {"HUGEINT": "BIGINT", "UHUGEINT": "BIGINT", "UBIGINT": "BIGINT", "DECIMAL": "DOUBLE", "UUID": "VARCHAR"}


@dataclass(frozen=True)
class Column:
    """One column that a file yields for the built table.

    Attributes:
        name: in the built table.
        kind: what the contract says it is; None for the label.
        where: the contract's key that asks for it.
    """

    name: str
    kind: Kind | None
    where: tuple[str | int, ...]


def feature_columns(plan: Plan, features: Sequence[Feature]) -> list[Column]:
    """Return the columns of a feature set."""
    at = {feature.name: i for i, feature in enumerate(plan.contract.features)}
    return [Column(f.column, f.kind, ("features", at[f.name], "sql")) for f in features]


def label_column(plan: Plan) -> Column:
    """Return the column of the outcome."""
    return Column(plan.contract.label.column, None, ("label", "column"))


def check_yields(
    engine: Engine, plan: Plan, sql: PortableSql, relations: dict[str, Columns], columns: Sequence[Column]
) -> list[str]:
    """Hold what a file yields against what the contract asks of it, before anything runs.

    Args:
        engine: has the relations.
        plan: of the contract.
        sql: the file.
        relations: columns of each relation.
        columns: asked of it.

    Returns:
        The SQL type in which each column is stored, in the order of `columns`.

    Raises:
        ContractError: a column is not there or is of another kind; names the contract's line.
        DataError: DuckDB refuses the SQL.
    """
    types = {name.lower(): kind for name, kind in engine.columns(sql.to_duckdb(relations), sql.source).items()}
    held = ", ".join(types)
    for name in (ENTITY, SNAPSHOT_TIME):
        if name not in types:
            raise DataError(f"{sql.source} yields no column {name!r}, but one row an entity and snapshot: add it")
    if types[ENTITY] != relations["events"][ENTITY] or not types[SNAPSHOT_TIME].startswith("TIMESTAMP"):
        raise DataError(f"{sql.source} must yield {ENTITY!r} and {SNAPSHOT_TIME!r} as its relations have them, uncast")
    stored = []
    for column in columns:
        kind = types.get(column.name.lower())
        if kind is None:
            raise plan.fail(f"{sql.source} yields no column {column.name!r}; it yields {held}", *column.where)
        base = kind.partition("(")[0]
        if base not in _NUMBERS and (base not in _TEXTS or column.kind not in {None, Kind.CATEGORY}):
            wanted = column.kind or "label"
            raise plan.fail(f"{sql.source} yields {column.name!r} as {kind}, which is no {wanted}", *column.where)
        stored.append(_STORED.get(base, base))
    return stored


def run_set(
    engine: Engine,
    sql: PortableSql,
    relations: dict[str, Columns],
    columns: Sequence[Column],
    *,
    into: str,
    snapshot: datetime,
    advance: Advance,
) -> None:
    """Run a file on one snapshot into a temporary table with its entities and columns.

    Raises:
        DataError: a row has no entity or another snapshot's time.
    """
    needed = ", ".join([ENTITY, SNAPSHOT_TIME, *(quoted(column.name) for column in columns)])
    select = f"SELECT {needed} FROM ({sql.to_duckdb(relations, moment(snapshot))})"
    engine.run(f"CREATE OR REPLACE TEMP TABLE {into} AS {select}", sql.source, advance)
    counts = (
        f"SELECT COUNT(*) - COUNT({ENTITY}), "
        f"COUNT(*) FILTER (WHERE {SNAPSHOT_TIME} IS DISTINCT FROM {moment(snapshot)}) FROM {into}"
    )
    nobody, elsewhere = engine.run(counts, sql.source)[0]
    at = f"at the snapshot {told(snapshot)}"
    if nobody:
        raise DataError(f"{sql.source} yields {nobody:,} rows without an entity {at}: leave them out")
    if elsewhere:
        raise DataError(
            f"{sql.source} yields {elsewhere:,} rows of another {SNAPSHOT_TIME!r} {at}: yield the snapshot's"
        )
