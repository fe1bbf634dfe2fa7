"""The merge of incoming rows into the current values, the history and the notes for the fast tier."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import orjson
import pg8000.native

from ebb.postgres.connection import PostgresConnection

INCOMING = """
create temporary table incoming (
    entity_id  text not null,
    event_time double precision not null,
    "values"   jsonb not null,
    layout     smallint,
    compact    text not null
) on commit drop
"""
_NOTE = "insert into repairs (entity_ids) select array_agg(entity_id) from incoming returning id"
_MERGE = files("ebb.postgres").joinpath("merge.sql").read_text()
_ONE = """select cast(:entity_id as text) as entity_id, cast(:event_time as float8) as event_time,
    cast(cast(:content as text) as jsonb) as "values", null::smallint as layout, cast(:content as text) as compact"""
_SEVERAL = """select row ->> 0 as entity_id, (row ->> 1)::float8 as event_time, (row ->> 2)::jsonb as "values",
    null::smallint as layout, row ->> 2 as compact from json_array_elements(cast(:rows as json)) as row"""


@dataclass(frozen=True, slots=True)
class MergedRow:
    """One row as it now stands in `features`.

    Attributes:
        entity_id: whose.
        version: 1 where it was inserted just now.
        event_time: of every value but those in `times`, epoch seconds.
        times: JSON object of the others; None where the version is 1: there are none.
        values: JSON object; None where the version is 1: they are what was brought.
        salt: hexadecimal.
        erased_at: the floor, epoch seconds, where the subject was erased once.
    """

    entity_id: str
    version: int
    event_time: float
    times: str | None
    values: str | None
    salt: str
    erased_at: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a merge did.

    Attributes:
        rows: those that were touched; what an erasure's floor refused is not among them.
        repair: the note that the fast tier must be told; 0 where none was left.
    """

    rows: list[MergedRow]
    repair: int


def merge_incoming(connection: pg8000.native.Connection, history_keep: float) -> Outcome:
    """Merge what lies in the temporary table `incoming`, and leave a note for the fast tier.

    The table is `INCOMING`, created and filled by COPY in the caller's transaction; no entity stands twice in it.
    `compact` goes into the history as it is: the JSON object of `values`, or the JSON array of the values that the
    layout of that id names (`ebb.postgres.layouts`). The months must be there (`PostgresMonths.ensure`).

    Args:
        connection: inside a transaction.
        history_keep: seconds; what is older reaches no history.
    """
    oldest, newest = connection.run("select min(event_time), max(event_time) from pg_temp.incoming")[0]
    return _outcome(connection.run(_FROM_TABLE, keep=history_keep, oldest=oldest, newest=newest))


def merge_one(
    connection: PostgresConnection, entity_id: str, event_time: float, content: bytes, history_keep: float
) -> Outcome:
    """Merge one entity's JSON object of values, in one statement and, outside a transaction, in one of its own."""
    return _outcome(
        connection.query(
            _ONE_NOTED,
            entity_id=entity_id,
            event_time=event_time,
            content=content.decode(),
            keep=history_keep,
            oldest=event_time,
            newest=event_time,
        )
    )


def merge_several(
    connection: PostgresConnection, rows: Sequence[tuple[str, float, bytes]], history_keep: float, *, noted: bool
) -> Outcome:
    """Merge rows of distinct entities, as (entity_id, event_time, JSON object of values), in one statement."""
    sent = orjson.dumps([(entity_id, event_time, content.decode()) for entity_id, event_time, content in rows])
    sql = _SEVERAL_NOTED if noted else _SEVERAL_ALONE
    moments = [event_time for _, event_time, _ in rows]
    return _outcome(
        connection.query(sql, rows=sent.decode(), keep=history_keep, oldest=min(moments), newest=max(moments))
    )


def _sql(source: str, *, noted: bool) -> str:
    note = f", note as ({_NOTE})" if noted else ""
    end = ", note.id from note left join merged on true" if noted else ", 0 from merged"
    return _MERGE.replace("{source}", source).replace("{note}", note).replace("{noted}", end)


_FROM_TABLE = _sql("select * from pg_temp.incoming", noted=True)
_ONE_NOTED = _sql(_ONE, noted=True)
_SEVERAL_NOTED = _sql(_SEVERAL, noted=True)
_SEVERAL_ALONE = _sql(_SEVERAL, noted=False)


def _outcome(rows: list[Any]) -> Outcome:
    return Outcome([MergedRow(*row[:7]) for row in rows if row[0] is not None], rows[0][7] if rows else 0)
