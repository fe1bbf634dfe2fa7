"""From when to when events reach, and how many there are: as their files note it, where that says it all."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from training.events.engine import Advance, Engine
from training.events.relations import WHOLE, EventColumns

_TIMES = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE"}


@dataclass(frozen=True)
class Source:
    """Events that can be built from.

    Attributes:
        columns: theirs.
        count: events that name an entity and a time.
        first: when the first of them happened.
        last: when the last one did.
        notes: what was left out.
    """

    columns: EventColumns
    count: int
    first: datetime
    last: datetime
    notes: tuple[str, ...]


def noted(engine: Engine, columns: EventColumns, files: str | None, advance: Advance) -> Source | None:
    """Return what the statistics in parquet files say, so that nothing needs to be read.

    Args:
        engine: DuckDB.
        columns: of the events.
        files: a list of parquet files as SQL; None where they are csv.
        advance: told of hundredths where there is an answer.

    Returns:
        None where the statistics do not say it all: an entity or a time is missing, or is no plain number or time, or
        a file has none.
    """
    if files is None or columns.types[columns.entity] not in WHOLE or columns.types[columns.time] not in _TIMES:
        return None
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in (columns.entity, columns.time))
    select = f"""
        SELECT path_in_schema, COUNT(*) = COUNT(stats_null_count) AND SUM(stats_null_count) = 0,
            COUNT(*) = COUNT(TRY_CAST(stats_min_value AS TIMESTAMP)) AND
            COUNT(*) = COUNT(TRY_CAST(stats_max_value AS TIMESTAMP)),
            SUM(num_values), MIN(TRY_CAST(stats_min_value AS TIMESTAMP)), MAX(TRY_CAST(stats_max_value AS TIMESTAMP))
        FROM parquet_metadata({files}) WHERE path_in_schema IN ({names}) AND num_values > 0 GROUP BY path_in_schema
    """  # noqa: S608 - paths and names are quoted
    told = {str(row[0]): row[1:] for row in engine.run(select, "the statistics of the events")}
    entity, time = told.get(columns.entity), told.get(columns.time)
    if entity is None or time is None or not (entity[0] and time[0] and time[1]) or entity[2] != time[2]:
        return None
    _, _, count, first, last = time
    advance(100)
    return Source(replace(columns, complete=True), int(count), first.replace(tzinfo=UTC), last.replace(tzinfo=UTC), ())
