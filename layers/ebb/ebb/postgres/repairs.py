"""Notes that the fast tier must still be told of a write: left in the write's own transaction, settled afterwards."""

from collections.abc import Iterable

import orjson

from ebb.ports import Repair
from ebb.postgres.connection import PostgresConnection

_LEAVE = (
    "insert into repairs (entity_ids) select array(select json_array_elements_text(cast(:entity_ids as json)))"
    " returning id"
)
_SETTLE = "delete from repairs where id = cast(:id as bigint)"
_UNSETTLED = (
    "select id, entity_ids from repairs where at < now() - make_interval(secs => cast(:older_than as float8))"
    " order by id limit cast(:most as bigint)"
)


def leave_note(connection: PostgresConnection, entity_ids: Iterable[str]) -> int:
    """Leave a note about entities that change in the same transaction; return its number.

    Raises:
        Unavailable: Postgres does not answer.
    """
    told = orjson.dumps(list(entity_ids)).decode()
    return int(connection.query(_LEAVE, entity_ids=told)[0][0])


def settle(connection: PostgresConnection, repair: int) -> None:
    """Forget a note; see `DurableTier.settle`."""
    connection.query(_SETTLE, id=repair)


def unsettled(connection: PostgresConnection, older_than: float, limit: int) -> list[Repair]:
    """Return the oldest notes; see `RepairTier.unsettled`."""
    rows = connection.query(_UNSETTLED, older_than=older_than, most=limit)
    return [Repair(number, tuple(entity_ids)) for number, entity_ids in rows]
