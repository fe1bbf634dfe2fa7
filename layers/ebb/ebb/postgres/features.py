"""The durable tier: Postgres, by `pg8000`."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import orjson
import pg8000.native

from ebb.ports import FeatureRecord, FeatureUpdate
from ebb.postgres.connection import PostgresConnection
from ebb.record_json import record_from_parts, values_to_json

_SCHEMA = files("ebb.postgres").joinpath("schema.sql").read_text()
_MERGE = files("ebb.postgres").joinpath("merge.sql").read_text()
_READ = 'select version, event_time, times::text, "values"::text from features where entity_id = :entity_id'
_INCOMING = (
    'create temporary table incoming (entity_id text, event_time double precision, "values" jsonb) on commit drop'
)


class PostgresFeatures:
    """A `DurableTier` in Postgres; connects when first needed, and again after a lost connection.

    Args:
        host, port, user, password, database: where and as whom.
        timeout: seconds for a connect or an answer.
    """

    def __init__(self, host: str, port: int, *, user: str, password: str, database: str, timeout: float = 5.0) -> None:
        self._connection = PostgresConnection(
            host, port, user=user, password=password, database=database, timeout=timeout
        )

    def create_schema(self) -> None:
        """Create what is not there yet."""
        with self._connection.use() as connection:
            connection.run(_SCHEMA)

    def read(self, entity_id: str) -> FeatureRecord | None:
        """Return what is held, or None.

        Raises:
            Unavailable: Postgres does not answer in time.
        """
        rows = self._connection.query(_READ, entity_id=entity_id)
        return _record(*rows[0]) if rows else None

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """Hold these records as they are, unless a higher version is already held."""
        with self._connection.use() as connection:
            for entity_id, record in records.items():
                connection.run(
                    'insert into features as held (entity_id, version, event_time, times, "values")'
                    " values (:entity_id, :version, 0, :times, :values) on conflict (entity_id) do update set"
                    ' version = excluded.version, event_time = 0, times = excluded.times, "values" = excluded."values"'
                    " where held.version < excluded.version",
                    entity_id=entity_id,
                    version=record.version,
                    times=values_to_json(record.event_times).decode(),
                    values=values_to_json(record.values).decode(),
                )

    def merge(self, updates: Sequence[FeatureUpdate]) -> dict[str, FeatureRecord]:
        """Merge updates, value by value the newer event time winning, in one transaction.

        Later updates of one call come after earlier ones. Returns the records as they now stand.

        Raises:
            Unavailable: Postgres does not answer in time; nothing was written.
        """
        merged: dict[str, FeatureRecord] = {}
        with self._connection.transaction() as connection:
            for group in _distinct(updates):
                rows = _merge(connection, ((u.entity_id, u.event_time, values_to_json(u.values)) for u in group))
                merged |= {row[0]: _record(*row[1:]) for row in rows}
        return merged

    def merge_json(self, rows: Iterable[tuple[str, float, bytes]]) -> list[tuple[str, int, bytes]]:
        """Merge rows of distinct entities whose values are JSON already, as (entity_id, event_time, JSON).

        Returns:
            (entity_id, version, record JSON) as the rows now stand.

        Raises:
            Unavailable: Postgres does not answer in time; nothing was written.
        """
        with self._connection.transaction() as connection:
            merged = _merge(connection, rows)
        return [
            (entity_id, version, f'{{"t":{event_time!r},"o":{times},"v":{values}}}'.encode())
            for entity_id, version, event_time, times, values in merged
        ]

    def close(self) -> None:
        """Close the connection, if there is one; the next call opens a new one."""
        self._connection.close()


def _record(version: int, event_time: float, times: str, values: str) -> FeatureRecord:
    return record_from_parts(orjson.loads(values), event_time, orjson.loads(times), version)


def _merge(connection: pg8000.native.Connection, rows: Iterable[tuple[str, float, bytes]]) -> list[Any]:
    """COPY the rows beside the table, then merge them in one statement."""
    text = "".join(
        f"{_copy_text(entity_id)}\t{event_time!r}\t{_copy_text(values.decode())}\n"
        for entity_id, event_time, values in rows
    )
    connection.run(_INCOMING)
    connection.run("copy incoming from stdin", stream=io.BytesIO(text.encode()))
    merged: list[Any] = connection.run(_MERGE)
    connection.run("drop table incoming")
    return merged


def _copy_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _distinct(updates: Sequence[FeatureUpdate]) -> Iterator[list[FeatureUpdate]]:
    """Split into runs in which no entity stands twice: one statement may touch a row only once."""
    group: dict[str, FeatureUpdate] = {}
    for update in updates:
        if update.entity_id in group:
            yield list(group.values())
            group = {}
        group[update.entity_id] = update
    if group:
        yield list(group.values())
