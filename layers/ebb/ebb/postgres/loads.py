"""How far each bulk load has come: a row in `loads` that advances with the rows themselves."""

from dataclasses import dataclass

import pg8000.native

from ebb.errors import Misuse
from ebb.postgres.refusal import LOCKED

_LOCK = "select pg_advisory_lock(cast(:key as bigint))"
_BEGIN = """
insert into loads as held (id, source, contract) values (:id, :source, :contract)
on conflict (id) do update set
    rows_done    = case when held.finished_at is null then held.rows_done else 0 end,
    rows_refused = case when held.finished_at is null then held.rows_refused else 0 end,
    started_at   = case when held.finished_at is null then held.started_at else now() end,
    updated_at   = now(),
    finished_at  = null
returning rows_done, rows_refused
"""
_ADVANCE = """
update loads set rows_done = cast(:done as bigint), rows_refused = cast(:refused as bigint), updated_at = now()
where id = :id
"""
_FINISH = "update loads set updated_at = now(), finished_at = now() where id = :id"


@dataclass(frozen=True)
class Checkpoint:
    """How far a load has come.

    Attributes:
        rows_done: rows of the table, from its beginning, that need not come again.
        rows_refused: those among them that the contract refused.
    """

    rows_done: int
    rows_refused: int


def begin_load(connection: pg8000.native.Connection, load: str, source: str, contract: str) -> Checkpoint:
    """Take up a load where it stopped; one that was finished, or never begun, starts at the beginning.

    The session holds it alone from here on: one that was killed keeps it until Postgres has noticed.

    Args:
        connection: in no transaction.
        load: its id, hexadecimal digits.
        source: the table's name, for people.
        contract: the contract's name.

    Raises:
        Misuse: another process is loading the same table.
    """
    try:
        connection.run(_LOCK, key=int(load[:15], 16))
    except pg8000.native.DatabaseError as error:
        if error.args[0].get("C") != LOCKED:
            raise
        raise Misuse(f"another process is loading {source} right now; let it finish, or end it") from None
    return Checkpoint(*connection.run(_BEGIN, id=load, source=source, contract=contract)[0])


def advance_load(connection: pg8000.native.Connection, load: str, checkpoint: Checkpoint) -> None:
    """Say how far a load has come, in the very transaction that brings its rows there."""
    connection.run(_ADVANCE, id=load, done=checkpoint.rows_done, refused=checkpoint.rows_refused)


def finish_load(connection: pg8000.native.Connection, load: str) -> None:
    """Say that a load is whole: the same again would start at the beginning."""
    connection.run(_FINISH, id=load)
