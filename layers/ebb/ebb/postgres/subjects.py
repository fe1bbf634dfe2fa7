"""Subject rights in the durable tier: accesses are recorded, and an erasure leaves nothing but its tombstone."""

import pg8000.native

from ebb.event_time import AHEAD_SECONDS
from ebb.ports import Access, FeatureRecord, Merged
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.history import PostgresHistory
from ebb.postgres.months import ALL_MONTHS, LOCK_LEAVE
from ebb.postgres.repairs import leave_note, settle

# The clock is read when the row is locked: what was merged while this waited is older. What was held of the next
# minutes, since clocks differ, is from before the erasure too: sent again, it must not come back.
_TOMBSTONE = """
insert into features as held (entity_id, version, event_time, "values", salt, erased_at, written_at)
select :entity_id, 1, at, '{}', null, at, clock_timestamp()
from (select extract(epoch from clock_timestamp())::float8 as at) as clock
on conflict (entity_id) do update set (version, event_time, times, "values", salt, erased_at, written_at) = (
    select held.version + 1, at, '{}'::jsonb, '{}'::jsonb, null::bytea,
        greatest(at, held.erased_at, least(at + {ahead}, greatest(
            held.event_time, (select max(value::float8) from jsonb_each_text(held.times))))),
        greatest(clock_timestamp(), held.written_at + interval '1 microsecond')
    from (select extract(epoch from clock_timestamp())::float8 + 0 * held.version as at) as clock
)
returning version, erased_at
""".replace("{ahead}", f"{AHEAD_SECONDS:g}")
_ACCESS = """
insert into subject_accesses (entity_id, at, client, action, correlation_id)
values (:entity_id, to_timestamp(cast(:at as float8)), :client, :action, :correlation_id)
"""
_ACCESSES = """
select extract(epoch from at)::float8, client, action, correlation_id from subject_accesses
where entity_id = :entity_id order by subject_accesses.at
"""


class PostgresSubjects(PostgresHistory):
    """A `SubjectTier` in Postgres.

    Args:
        connection: where everything lies; may be shared with other tiers of the same thread.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        super().__init__(connection)
        self._features = PostgresFeatures(connection)

    def read(self, entity_id: str) -> FeatureRecord | None:
        """See `DurableTier.read`."""
        return self._features.read(entity_id)

    def settle(self, repair: int) -> None:
        """See `DurableTier.settle`."""
        settle(self._connection, repair)

    def accesses(self, entity_id: str) -> list[Access]:
        """See `SubjectTier.accesses`."""
        return [Access(*row) for row in self._connection.query(_ACCESSES, entity_id=entity_id)]

    def record_access(self, entity_id: str, access: Access) -> None:
        """See `SubjectTier.record_access`."""
        self._connection.query(_ACCESS, entity_id=entity_id, **vars(access))

    def erase(self, entity_id: str, access: Access) -> Merged:
        """See `SubjectTier.erase`. Every month is searched, those too that are leaving."""
        with self._connection.transaction() as connection:
            # Before any other lock: no month is dropped between its name and its rows.
            connection.run(f"select pg_advisory_xact_lock_shared({LOCK_LEAVE})")
            version, erased_at = connection.run(_TOMBSTONE, entity_id=entity_id)[0]
            _forget_history(connection, entity_id)
            connection.run(_ACCESS, entity_id=entity_id, **vars(access))
            repair = leave_note(self._connection, [entity_id])
        return Merged({entity_id: FeatureRecord({}, {}, version, "", erased_at)}, repair)


def _forget_history(connection: pg8000.native.Connection, entity_id: str) -> None:
    """Delete from the history, then from the months that its snapshot did not see: they are on their way out."""
    connection.run("delete from history where entity_id = :entity_id", entity_id=entity_id)
    for table, attached, pending in connection.run(ALL_MONTHS):
        if pending or not attached:
            connection.run(f"delete from {table} where entity_id = :entity_id", entity_id=entity_id)  # noqa: S608
