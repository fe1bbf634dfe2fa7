"""The durable tier's memory: what was true at one moment, as far as it was known at another."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import orjson

from ebb.ports import FeatureRecord, HistoryRow
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.layouts import Layouts

_TIMES = "extract(epoch from event_time)::float8, extract(epoch from ingested_at)::float8"
_CURRENT = (
    'select event_time, times::text, "values"::text, extract(epoch from written_at)::float8'
    " from features where entity_id = :entity_id"
)
_NEWEST = f"""
select layout, "values", {_TIMES}, event_time::text as event_text, ingested_at::text as ingested_text from history
where entity_id = :entity_id
    and event_time <= to_timestamp(cast(:event_time as float8))
    and ingested_at <= to_timestamp(cast(:ingested_at as float8))
order by history.event_time desc, history.ingested_at desc limit cast(:most as bigint)
"""  # noqa: S608 - a constant
_OLDER = f"""
select layout, "values", {_TIMES}, event_time::text as event_text, ingested_at::text as ingested_text from history
where entity_id = :entity_id
    and event_time <= cast(:after_event as timestamptz)
    and (event_time, ingested_at) < (cast(:after_event as timestamptz), cast(:after_ingested as timestamptz))
    and ingested_at <= to_timestamp(cast(:ingested_at as float8))
order by history.event_time desc, history.ingested_at desc limit cast(:most as bigint)
"""  # noqa: S608 - a constant
_ALL = f"""
select layout, "values", {_TIMES} from history where entity_id = :entity_id
order by history.event_time desc, history.ingested_at desc limit cast(:most as bigint) offset cast(:first as bigint)
"""  # noqa: S608 - a constant
_RUNS = (1, 16, 128, 1024)
"""Rows asked for at once: one is enough where writes are whole; partial ones soon need more."""


class PostgresHistory:
    """A `HistoryTier` in Postgres.

    Args:
        connection: where the history lies; may be shared with other tiers of the same thread.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection
        self._layouts = Layouts(connection)

    def known_at(self, entity_id: str, event_time: float, ingested_at: float) -> FeatureRecord | None:
        """See `HistoryTier.known_at`.

        What the history no longer holds, or never did, is taken from the current values, as far as they were true
        by then and nothing was written since: when such a value was first known is not kept.
        """
        rows = self._connection.query(_CURRENT, entity_id=entity_id)
        if not rows or rows[0][2] == "{}":  # nobody, or erased: then there is no history either
            return None
        current_time, others, current, written_at = rows[0]
        held: dict[str, Any] = orjson.loads(current)
        values: dict[str, Any] = {}
        times: dict[str, float] = {}
        if written_at <= ingested_at:
            of_each = dict.fromkeys(held, current_time) | orjson.loads(others)
            times = {name: time for name, time in of_each.items() if time <= event_time}
            values = {name: held[name] for name in times}
        # No name is ever in the history that is not among the current ones.
        absent = set(held.keys() - values.keys())
        for write in self._before(entity_id, event_time, ingested_at) if absent else ():
            for name in absent & write.values.keys():
                values[name], times[name] = write.values[name], write.event_time
            absent -= write.values.keys()
            if not absent:
                break
        return FeatureRecord(values, times, 0) if values else None

    def history(self, entity_id: str, first: int = 0, most: int | None = None) -> list[HistoryRow]:
        """See `HistoryTier.history`."""
        rows = self._connection.query(_ALL, entity_id=entity_id, first=first, most=most)
        return [self._row(*row) for row in rows]

    def _before(self, entity_id: str, event_time: float, ingested_at: float) -> Iterator[HistoryRow]:
        """Yield what was written until then, the newest event time first, the later write of equal ones first."""
        rows = self._connection.query(
            _NEWEST, entity_id=entity_id, event_time=event_time, ingested_at=ingested_at, most=_RUNS[0]
        )
        asked = _RUNS[0]
        for run in chain(_RUNS[1:], repeat(_RUNS[-1])):
            yield from (self._row(*row[:4]) for row in rows)
            if len(rows) < asked:
                return
            asked = run
            rows = self._connection.query(
                _OLDER,
                entity_id=entity_id,
                after_event=rows[-1][4],
                after_ingested=rows[-1][5],
                ingested_at=ingested_at,
                most=run,
            )

    def _row(self, layout: int | None, values: str, event_time: float, ingested_at: float) -> HistoryRow:
        return HistoryRow(self._layouts.values(layout, values), event_time, ingested_at)
