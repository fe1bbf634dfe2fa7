"""The change feed in Postgres, as the region that is followed keeps it: a trigger on the notes of repairs."""

from ebb.postgres.connection import PostgresConnection

PRUNED_AT_ONCE = 10_000
"""Rows; more would hold the table longer than a write waits."""

_RECORDED = """
select (select tgenabled <> 'D' from pg_trigger where tgrelid = 'repairs'::regclass and tgname = 'changed')
    and generation is not null from change_feed
"""
# The lock waits for every write that is under way, unrecorded; the generation is named when it is held.
_LOCK = "lock table repairs in share row exclusive mode"
_ON = ("alter table repairs enable trigger changed", "update change_feed set generation = gen_random_uuid()")
_OFF = (
    "alter table repairs disable trigger changed",
    "update change_feed set generation = null",
    "truncate changes",
)
_BEAT = "insert into changes (entities, entity_ids) values (0, '{}')"
_PRUNE = """
with oldest as (
    select xid, id from changes order by changes.xid, changes.id limit cast(:most as bigint)
), gone as (
    delete from changes using oldest where changes.xid = oldest.xid and changes.id = oldest.id
        and changes.at < now() - make_interval(secs => cast(:older_than as float8))
    returning changes.xid
), told as (
    update change_feed set pruned = greatest(pruned, (select max(xid) + 1 from gone)) where exists (select from gone)
)
select count(*) from gone
"""


class PostgresChanges:
    """`RecordedChanges` in Postgres.

    Args:
        connection: of the tables' owner, in no transaction.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    def record(self, *, followed: bool) -> bool:
        """See `RecordedChanges.record`; writes wait for a moment where it is new."""
        if self._is_recorded() == followed:
            return False
        with self._connection.transaction() as connection:
            connection.run(_LOCK)
            changes = self._is_recorded() != followed  # somebody else may have been first
            for statement in (_ON if followed else _OFF) if changes else ():
                connection.run(statement)
        return changes

    def beat(self) -> None:
        """See `RecordedChanges.beat`."""
        self._connection.query(_BEAT)

    def prune(self, older_than: float) -> int:
        """See `RecordedChanges.prune`; at most `PRUNED_AT_ONCE` a call."""
        return int(self._connection.query(_PRUNE, older_than=older_than, most=PRUNED_AT_ONCE)[0][0])

    def _is_recorded(self) -> bool:
        return bool(self._connection.query(_RECORDED)[0][0])
