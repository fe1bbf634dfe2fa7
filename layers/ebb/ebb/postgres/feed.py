"""The change feed in Postgres, as a region that follows reads it: from a replica, in transactions that only read."""

from collections.abc import Sequence
from typing import Any

from ebb.ports.feed import FeedPage, Place
from ebb.ports.records import FeatureRecord
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures

CHANGES, ENTITIES = 1_000, 2_000
"""Of one page, at most; a single change of more entities comes whole."""

# By the rules of Postgres's visibility every transaction below a snapshot's xmin has ended for it: what it wrote is
# seen if it committed. So this holds on any server, however far it is behind.
_LOOK = """
select coalesce(feed.generation::text, ''), feed.pruned, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
    extract(epoch from clock_timestamp() - coalesce(
        part.at, (select newest.at from changes as newest order by newest.xid desc, newest.id desc limit 1)))::float8,
    part.xid, part.id, part.entity_ids
from change_feed as feed left join (
    select *, sum(entities) over (order by next.xid, next.id) - entities as before from (
        select xid, id, at, entities, entity_ids from changes
        where (xid, id) > (cast(:xid as bigint), cast(:id as bigint))
        order by changes.xid, changes.id limit cast(:most as bigint)
    ) as next
) as part on part.before < cast(:entities as bigint)
order by part.xid, part.id
"""
_SINCE = """
select least(pg_snapshot_xmin(pg_current_snapshot())::text::bigint, (
    select min(xid) from (
        select xid from changes where at >= now() - make_interval(secs => cast(:seconds as float8)) offset 0
    ) as recent
))
"""


class PostgresFeed:
    """A `ChangeFeed` in Postgres.

    A page and its records are read in one transaction: so they are of one server, also behind a proxy, and the
    records are at least as new as the changes.

    Args:
        connection: where it lies; may be shared with other tiers of the same thread.
    """

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection, self._features = connection, PostgresFeatures(connection)

    def look(self, after: Place) -> FeedPage:
        """See `ChangeFeed.look`."""
        with self._connection.transaction():
            rows = self._connection.query(_LOOK, xid=after[0], id=after[1], most=CHANGES, entities=ENTITIES)
            generation, pruned, horizon, _, xid, *_ = rows[0]
            if xid is None:
                return FeedPage(generation, pruned, horizon, age=rows[0][3])
            records = self._records(rows)
        return FeedPage(generation, pruned, horizon, (rows[-1][4], rows[-1][5]), rows[-1][3], records)

    def since(self, seconds: float) -> int:
        """See `ChangeFeed.since`; counts from the beginning of a transaction."""
        return int(self._connection.query(_SINCE, seconds=seconds)[0][0])

    def _records(self, rows: Sequence[Any]) -> dict[str, FeatureRecord]:
        return self._features.read_many(list(dict.fromkeys(entity_id for row in rows for entity_id in row[6])))
