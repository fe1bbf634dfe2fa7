"""The months of the history: they arrive before they are written to, and leave without anybody waiting."""

import time
from collections.abc import Iterable

import pg8000.native

from ebb.ports import Left
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.month import Month
from ebb.postgres.refusal import GIVEN_UP, LOCKED, Refused

LOCK_ARRIVE, LOCK_LEAVE = 0x0EBB_0002, 0x0EBB_0003
"""Names of advisory locks: one process creates months at a time, and one drops them."""

ALL_MONTHS = """
select relname, inhrelid is not null as attached, coalesce(inhdetachpending, false) as pending
from pg_class left join pg_inherits on inhrelid = pg_class.oid
where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname ~ '^history_[0-9]{4}_[0-9]{2}$'
order by relname
"""
_SLACK_SECONDS = 3600.0
"""How far this clock may differ from the server's, which decides what is kept."""

_PATIENCE = "set statement_timeout = '1s'; set lock_timeout = '500ms'"
_USUAL = "reset statement_timeout; reset lock_timeout"
_WAITED = frozenset({GIVEN_UP, LOCKED})


class PostgresMonths:
    """`HistoryMonths` in Postgres: the partitions of `history`.

    Args:
        connection: in no transaction.
        history_keep: seconds; a month that is wholly older leaves.
    """

    def __init__(self, connection: PostgresConnection, history_keep: float) -> None:
        self._connection, self._keep = connection, history_keep
        self._known: frozenset[Month] = frozenset()

    def ensure(self, event_times: Iterable[float]) -> None:
        """Create and attach the months of these moments (epoch seconds) where they are kept and absent.

        Raises:
            Unavailable: Postgres does not answer.
        """
        oldest = time.time() - self._keep - _SLACK_SECONDS
        absent = {Month.of(moment) for moment in set(event_times) if moment >= oldest} - self._known
        if absent:
            with self._connection.transaction() as connection:
                connection.run(f"select pg_advisory_xact_lock({LOCK_ARRIVE})")
                _arrive(connection, sorted(absent))
            self._known |= absent

    def forget(self) -> None:
        """Look at every month again before the next write: one has vanished."""
        self._known = frozenset()

    def drop_expired(self) -> Left:
        """Let one month leave that is wholly older than what is kept; call it again until nothing left.

        Nobody waits for it: a month that is still read stays detached, or on its way, until a later call.

        Raises:
            Unavailable: Postgres does not answer.
        """
        month = ""
        try:
            with self._connection.use() as connection:
                if not connection.run(f"select pg_try_advisory_lock({LOCK_LEAVE})")[0][0]:
                    return Left()
                now = float(connection.run("select extract(epoch from now())::float8")[0][0])
                found = [row for row in connection.run(ALL_MONTHS) if self._leaves(row, now)]
                if found:
                    month, attached, pending = min(found, key=lambda row: not row[2])
                    connection.run(_PATIENCE)
                    _leave(connection, month, attached=attached, pending=pending)
                    connection.run(_USUAL)
                connection.run(f"select pg_advisory_unlock({LOCK_LEAVE})")
        except Refused as error:
            if error.code not in _WAITED:
                raise
            return Left(waiting=month)
        self._known -= {Month.of_table(month)} if month else set()
        return Left(dropped=month)

    def _leaves(self, row: tuple[str, bool, bool], now: float) -> bool:
        """Say whether a month's time has come; one that is on its way goes it to the end."""
        return row[2] or Month.of_table(row[0]).end <= now - self._keep


def _arrive(connection: pg8000.native.Connection, months: Iterable[Month]) -> None:
    """CREATE, CHECK, ATTACH: neither readers nor writers of the history wait for any of them."""
    found = {row[0]: row[1] for row in connection.run(ALL_MONTHS)}
    for month in months:
        if found.get(month.table):
            continue
        start, end = month.start, month.next.start
        if month.table not in found:
            connection.run(f"create table {month.table} (like history including all)")
            connection.run(
                f"alter table {month.table} add constraint {month.table}_holds"
                f" check (event_time >= '{start}' and event_time < '{end}')"
            )
        connection.run(f"alter table history attach partition {month.table} for values from ('{start}') to ('{end}')")


def _leave(connection: pg8000.native.Connection, table: str, *, attached: bool, pending: bool) -> None:
    """DETACH and DROP, each statement a transaction of its own."""
    if pending:  # an earlier call was interrupted, or waited too long
        connection.run(f"alter table history detach partition {table} finalize")
    elif attached:
        connection.run(f"alter table history detach partition {table} concurrently")
    connection.run(f"drop table {table}")
