"""One portable SQL file: a single Trino SELECT over the relations it is given, read and held to its word.

Athena runs the text as it is. DuckDB gets a translation in which the dialects' silent differences are levelled: a
division of whole numbers truncates, and `date_diff` counts whole units, as both do in Trino.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from ebb.errors import DataError
from training.events.literal import with_literal

TRINO, DUCKDB, ATHENA = "trino", "duckdb", "athena"
Columns = Mapping[str, str]
"""DuckDB's type of each column."""

_MOVING = (
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Localtime,
    exp.Localtimestamp,
    exp.Rand,
    exp.Uuid,
)


@dataclass(frozen=True)
class PortableSql:
    """A SELECT that both engines can run.

    Attributes:
        source: the file's name, for messages.
        query: as parsed from the Trino dialect.
    """

    source: str
    query: exp.Query

    @property
    def yields(self) -> list[str]:
        """Names of the columns it yields, in lower case as Trino gives them."""
        return [name.lower() for name in self.query.named_selects]

    def to_duckdb(self, relations: Mapping[str, Columns], snapshot: str | None = None) -> str:
        """Translate for DuckDB.

        Args:
            relations: the columns of each relation it may speak of.
            snapshot: the one moment of the run as SQL (Trino), to be written in where that changes nothing but time.

        Raises:
            DataError: it speaks of a column that no relation has.
        """
        schema = MappingSchema(
            {name: {column: _type(kind) for column, kind in columns.items()} for name, columns in relations.items()},
            dialect=TRINO,
        )
        try:
            resolved = qualify(self.query.copy(), schema=schema, dialect=TRINO)
            typed = annotate_types(resolved, schema=schema, dialect=TRINO)
        except OptimizeError as error:
            held = ", ".join(repr(column) for column in relations["events"])
            raise DataError(f"{self.source}: {_first_line(error)}; the events have {held}") from None
        run = typed if snapshot is None else with_literal(typed, sqlglot.parse_one(snapshot, read=TRINO))
        return run.transform(_whole_units).sql(DUCKDB)

    def to_athena(self, relations: Mapping[str, str]) -> str:
        """Return the text for Athena, with the relations' own SELECTs (Trino) before it."""
        query = self.query.copy()
        own = query.ctes
        if own:
            query.set("with_", None)
        for name, select in relations.items():
            query = query.with_(name, as_=select, dialect=TRINO, copy=False)
        for cte in own:
            query = query.with_(cte.alias, as_=cte.this, copy=False)
        return query.sql(ATHENA, pretty=True)


def read_sql(text: str, source: str, relations: frozenset[str]) -> PortableSql:
    """Read one SELECT in the Trino dialect.

    Args:
        text: of the file.
        source: its name, for messages.
        relations: the names it may select from.

    Raises:
        DataError: it is no single SELECT, speaks of other tables, or its answer depends on the clock or on chance.
    """
    query = _parse(text, source)
    own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    if taken := own & relations:
        raise DataError(f"{source}: it names a relation of its own {min(taken)!r}, which is given already: rename it")
    for table in query.find_all(exp.Table, exp.Lateral):
        if not _is_given(table, relations):
            raise DataError(
                f"{source}: it selects from {table.sql(TRINO)}, but only {' and '.join(sorted(relations))} are there"
            )
    if moving := query.find(*_MOVING):
        raise DataError(
            f"{source}: {moving.sql(TRINO)} would give another table with every run: use `snapshot_time` instead"
        )
    names = [name.lower() for name in query.named_selects]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"{source}: it yields two columns named {twice!r}: rename one")
    return PortableSql(source, query)


def _is_given(table: exp.Expr, relations: frozenset[str]) -> bool:
    """Tell whether a query may select from this; by another name DuckDB would find a file, or what it is not to see."""
    if isinstance(table, exp.Lateral):
        return isinstance(table.this, exp.Subquery)
    if not isinstance(table, exp.Table) or table.db or not isinstance(table.this, exp.Identifier):
        return False
    return table.name.lower() in relations | _own(table)


def _own(table: exp.Table) -> set[str]:
    """Return the query's own relations that are known where the table stands: of one WITH, only those before it."""
    names: set[str] = set()
    inside: exp.Expr | None = None
    node: exp.Expr | None = table
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        elif isinstance(node, exp.With):
            before = node.expressions[: [cte is inside for cte in node.expressions].index(True)]
            names |= {cte.alias.lower() for cte in ([*before, inside] if node.recursive else before)}
        elif isinstance(node, exp.Query) and inside is None:
            names |= {cte.alias.lower() for cte in node.ctes}
        elif isinstance(node, exp.Query):
            inside = None
        node = node.parent
    return names


def _parse(text: str, source: str) -> exp.Query:
    try:
        statements = [
            found for found in sqlglot.parse(text, read=TRINO) if found and not isinstance(found, exp.Semicolon)
        ]
    except SqlglotError as error:
        raise DataError(f"{source} cannot be read as Trino SQL: {_first_line(error)}") from None
    except RecursionError:
        raise DataError(f"{source} cannot be read as Trino SQL: it is nested too deeply") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise DataError(f"{source} must hold one SELECT and nothing else")
    return statements[0]


def _whole_units(node: exp.Expr) -> exp.Expr:
    """Turn Trino's `date_diff`, which counts whole units, into the function of DuckDB that does so too.

    DuckDB's own `date_diff` counts the midnights, hours and so on that lie between: 1 day from 23:00 to 01:00.
    """
    if not isinstance(node, exp.DateDiff):
        return node
    unit = exp.Literal.string(node.text("unit").lower() or "day")
    return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])


def _type(kind: str) -> exp.DataType:
    """Return sqlglot's type of a DuckDB type; what it does not know, such as a struct of odd names, is left open."""
    try:
        return exp.DataType.build(kind, dialect=DUCKDB)
    except SqlglotError:
        return exp.DataType.build("unknown")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")


def translate(select: str) -> str:
    """Translate a SELECT of Ebb's own from Trino to DuckDB."""
    return sqlglot.transpile(select, read=TRINO, write=DUCKDB)[0]
