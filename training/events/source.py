"""The events as they lie: which columns they have, what is left out, and from when to when they reach."""

# ruff: noqa: S608 - names are quoted or Ebb's own, and there are no values but moments

from datetime import UTC
from pathlib import Path

from ebb.errors import ContractError, DataError
from training.dataset.column_names import nearest
from training.events.engine import Advance, Engine
from training.events.files import find_files
from training.events.plan import Plan
from training.events.portable import translate
from training.events.reach import Source, noted
from training.events.relations import ENTITY, TIME, EventColumns, NoKind, quoted

TABLE = "raw_events"
_NANOSECONDS = "TIMESTAMPTZ_NS"
"""A type that DuckDB does not cast to a time without a zone, as which the SQL sees every time."""
_FLOATS = ("FLOAT", "DOUBLE")


def open_events(engine: Engine, plan: Plan, path: Path, advance: Advance) -> Source:
    """Make the events a relation of the engine, and look at their columns and reach.

    Args:
        engine: gets the relation `raw_events`.
        plan: names the columns.
        path: a parquet or csv file, or a folder of either.
        advance: told of hundredths.

    Raises:
        ContractError: the events lack a column that the contract names, or it cannot be what it should.
        DataError: the events cannot be read, or none of them names an entity and a time.
    """
    files = _register(engine, plan, path)
    types = engine.columns(f"SELECT * FROM {TABLE}", str(path))
    columns = EventColumns(types, _column(plan, types, "entity"), _column(plan, types, "time"))
    _refuse_reserved(columns, path)
    for key, sql in (("entity", columns.entity_sql), ("time", columns.time_sql)):
        try:
            sql()
        except NoKind as error:
            raise plan.fail(f"`{key}`: the column {getattr(columns, key)!r} of {path} {error}", "events", key) from None
    _refuse_unfit(engine, columns, path)
    return noted(engine, columns, files, advance) or _reach(engine, columns, path, advance)


def _register(engine: Engine, plan: Plan, path: Path) -> str | None:
    """Parquet stays where it is, and its files are returned as SQL; csv is read once, entity and time as texts."""
    files, parquet = find_files(path)
    named = "[" + ", ".join(_literal(file) for file in files) + "]"
    if parquet:
        read = f"read_parquet({named})"
        held = engine.columns(f"SELECT * FROM {read}", f"{path} cannot be read")
        fine = [f"{told} AS {quoted(name)}" for name, kind in held.items() if (told := _as_held(quoted(name), kind))]
        replaced = f"* REPLACE ({', '.join(fine)})" if fine else "*"
        engine.run(f"CREATE TEMP VIEW {TABLE} AS SELECT {replaced} FROM {read}", f"{path} cannot be read")
        return named
    csv = f"read_csv({named}, header = true, sample_size = -1"
    held = engine.columns(f"SELECT * FROM {csv})", f"{path} cannot be read")
    texts = [name for name in (plan.events.entity, plan.events.time) if name in held]
    if texts:
        csv += ", types = {" + ", ".join(f"{_text(name)}: 'VARCHAR'" for name in texts) + "}"
    engine.run(f"CREATE TEMP TABLE {TABLE} AS SELECT * FROM {csv})", f"{path} cannot be read")
    return None


def _as_held(column: str, kind: str) -> str | None:
    """Return a parquet column as it must be read, where that is not as it is.

    A file's statistics leave NaN out, and DuckDB 2.0 concludes from them that none is there: it passes over parts of
    files, and takes `is_nan` for false. An expression that may be NaN itself has no such statistics.
    """
    if kind == _NANOSECONDS:
        return f"CAST({column} AS TIMESTAMPTZ)"
    if kind in _FLOATS:
        nan = f"'nan'::{kind}"
        return f"CASE WHEN {column} IS NOT DISTINCT FROM {nan} THEN {nan} ELSE {column} END"
    return None


def _column(plan: Plan, types: dict[str, str], key: str) -> str:
    name: str = getattr(plan.events, key)
    if name in types:
        return name
    near = nearest(name, list(types))
    raise _missing(plan, key, name, f"did you mean {near!r}?" if near else f"they have {', '.join(map(repr, types))}")


def _missing(plan: Plan, key: str, name: str, hint: str) -> ContractError:
    return plan.fail(f"`{key}`: the events have no column {name!r}; {hint}", "events", key)


def _refuse_reserved(columns: EventColumns, path: Path) -> None:
    """A column of the name that the SQL knows entity or time by must be just that."""
    for reserved, own in ((ENTITY, columns.entity), (TIME, columns.time)):
        for name in columns.types:
            if name.lower() == reserved and name != own:
                raise DataError(f"{path} has a column {name!r}, but the SQL knows {own!r} by this name: rename it")


def _refuse_unfit(engine: Engine, columns: EventColumns, path: Path) -> None:
    """Fractions name nobody, and a text that is no time says nothing about when."""
    times, unread = quoted(columns.time), "FALSE"
    if columns.types[columns.time] == "VARCHAR":
        unread = f"TRIM({times}) <> '' AND NOT COALESCE(ISFINITE(TRY_CAST(TRIM({times}) AS TIMESTAMPTZ)), FALSE)"
    whole = translate(f"SELECT {columns.whole_sql()}").removeprefix("SELECT ")
    counts = f"COUNT(*) FILTER (WHERE NOT ({whole})), COUNT(*) FILTER (WHERE {unread})"
    fractions, unreadable = engine.run(f"SELECT {counts} FROM {TABLE}", str(path))[0]
    if fractions:
        raise DataError(f"{path}: {fractions:,} events have no whole number in {columns.entity!r}, so they name nobody")
    if unreadable:
        raise DataError(
            f"{path}: {unreadable:,} events have no ISO 8601 time in {columns.time!r}: write it like "
            "2011-09-10T06:00:00"
        )


def _reach(engine: Engine, columns: EventColumns, path: Path, advance: Advance) -> Source:
    select = (
        f"SELECT COUNT(*), COUNT(*) FILTER (WHERE {ENTITY} IS NULL), COUNT({ENTITY}) FILTER (WHERE {TIME} IS NULL), "
        f"MIN({TIME}) FILTER (WHERE NOT {ENTITY} IS NULL), MAX({TIME}) FILTER (WHERE NOT {ENTITY} IS NULL) "
        f"FROM (SELECT {columns.entity_sql()} AS {ENTITY}, {columns.time_sql()} AS {TIME} FROM {TABLE}) AS known"
    )
    count, nobody, untimed, first, last = engine.run(translate(select), str(path), advance)[0]
    kept = count - nobody - untimed
    if not kept:
        raise DataError(
            f"{path}: none of {count:,} events has both an entity in {columns.entity!r} and a time in {columns.time!r}"
        )
    notes = []
    if nobody:
        notes.append(f"{nobody:,} of {count:,} events name no entity ({columns.entity!r} is missing) and are left out")
    if untimed:
        notes.append(f"{untimed:,} of {count:,} events have no time ({columns.time!r} is missing) and are left out")
    return Source(columns, kept, first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), tuple(notes))


def _literal(path: Path) -> str:
    """Return a path as SQL text; what DuckDB would take for a pattern is escaped."""
    return _text("".join(f"[{c}]" if c in "*?[" else c for c in str(path)))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
