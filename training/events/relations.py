"""What the SQL selects from: `events` on the permitted side of one snapshot, `snapshots`, and for the label `entities`.

Each is a Trino SELECT, so that DuckDB and Athena are given the same. A run is for one snapshot, and the events beyond
it are not in its relation: features cannot see the future even where their SQL forgets to look away.
"""

# ruff: noqa: S608 - names are quoted or Ebb's own, and there are no values but moments

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ebb.contract import SNAPSHOT_TIME

ENTITY, TIME = "entity_id", "event_time"
FEATURES = frozenset({"events", "snapshots"})
LABEL = frozenset({"events", "entities"})

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")


class NoKind(ValueError):
    """A column of the events holds what can be neither key nor time; says what may be."""


@dataclass(frozen=True)
class EventColumns:
    """The columns of the events, and which of them name entity and time.

    Attributes:
        types: DuckDB's type of each column.
        entity: column that names the entity.
        time: column of the moment it happened.
        complete: whether each event is known to name an entity, so that nobody needs to look.
    """

    types: dict[str, str]
    entity: str
    time: str
    complete: bool = False

    @property
    def others(self) -> list[str]:
        """Columns that the SQL sees under their own names."""
        return [name for name in self.types if name.lower() not in {ENTITY, TIME}]

    def entity_sql(self) -> str:
        """Return the entity as SQL: NULL where it is blank or NaN; whole numbers stay numbers, which join fast.

        Raises:
            NoKind: the column holds neither texts nor numbers.
        """
        kind, column = self.types[self.entity], quoted(self.entity)
        if kind in WHOLE or kind == "UUID":
            return column if kind != "UUID" else f"CAST({column} AS VARCHAR)"
        if kind in _FLOATS:
            return f"CAST(CASE WHEN IS_NAN({column}) THEN NULL ELSE {column} END AS BIGINT)"
        if kind == "VARCHAR":
            return f"CASE WHEN TRIM({column}) = '' THEN NULL ELSE {column} END"
        raise NoKind(f"holds {kind}, but an entity is named by texts or whole numbers")

    def whole_sql(self) -> str:
        """Return a condition that holds where the entity can be named: a fraction cannot."""
        column = quoted(self.entity)
        if self.types[self.entity] not in _FLOATS:
            return "TRUE"
        return f"{column} IS NULL OR IS_NAN({column}) OR (ABS({column}) < 9e15 AND {column} = FLOOR({column}))"

    def time_sql(self) -> str:
        """Return the time as SQL, in UTC without a zone; a time without a zone is UTC, a number is epoch seconds.

        Raises:
            NoKind: the column holds no times.
        """
        kind, column = self.types[self.time], quoted(self.time)
        if kind == "TIMESTAMP WITH TIME ZONE":
            return f"CAST({column} AT TIME ZONE 'UTC' AS TIMESTAMP(6))"
        if kind.startswith("TIMESTAMP") or kind == "DATE":
            return f"CAST({column} AS TIMESTAMP(6))"
        if kind in WHOLE or kind in _FLOATS:
            return f"CAST(FROM_UNIXTIME({column}) AT TIME ZONE 'UTC' AS TIMESTAMP(6))"
        if kind == "VARCHAR":
            iso = f"REPLACE(TRIM({column}), ' ', 'T')"
            return f"CAST(FROM_ISO8601_TIMESTAMP({iso}) AT TIME ZONE 'UTC' AS TIMESTAMP(6))"
        raise NoKind(f"holds {kind}, but must hold times, dates, ISO 8601 texts or epoch seconds")


def events_before(columns: EventColumns, table: str, snapshot: datetime) -> str:
    """Return `events` for features: all before the snapshot; one that happens exactly then is the future's."""
    return _events(columns, table, f"{TIME} < {moment(snapshot)}")


def events_within(columns: EventColumns, table: str, snapshot: datetime, days: int) -> str:
    """Return `events` for the label: from the snapshot on, until its window closes."""
    end = moment(snapshot + timedelta(days=days))
    return _events(columns, table, f"{TIME} >= {moment(snapshot)} AND {TIME} < {end}")


def snapshots(snapshot: datetime) -> str:
    """Return `snapshots`: the one moment of this run."""
    return f"SELECT {moment(snapshot)} AS {SNAPSHOT_TIME}"


def entities(features: str, snapshot: datetime) -> str:
    """Return `entities`: who is to be labelled, which is who has features at the snapshot."""
    return f"SELECT {ENTITY}, {SNAPSHOT_TIME} FROM {features} WHERE {SNAPSHOT_TIME} = {moment(snapshot)}"


def moment(when: datetime) -> str:
    """Return a moment as SQL, in UTC without a zone."""
    return f"CAST('{when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}' AS TIMESTAMP(6))"


def quoted(name: str) -> str:
    """Return a column's name in quotes."""
    return '"' + name.replace('"', '""') + '"'


def _events(columns: EventColumns, table: str, condition: str) -> str:
    named = [f"{columns.entity_sql()} AS {ENTITY}", f"{columns.time_sql()} AS {TIME}"]
    inner = ", ".join([*named, *(quoted(name) for name in columns.others)])
    named_only = "" if columns.complete else f"{ENTITY} IS NOT NULL AND "
    return f"SELECT * FROM (SELECT {inner} FROM {table}) AS known WHERE {named_only}{condition}"
