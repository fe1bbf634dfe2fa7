"""The durable tier's current values."""

from collections.abc import Sequence

import orjson

from ebb.contract.model import DEFAULT_HISTORY_KEEP
from ebb.ports import FeatureRecord, FeatureUpdate, Merged, Repair
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.merge import MergedRow, Outcome, merge_one, merge_several
from ebb.postgres.months import PostgresMonths
from ebb.postgres.refusal import NO_PARTITION, Refused
from ebb.postgres.repairs import leave_note, settle, unsettled
from ebb.record_json import record_from_parts, values_to_json

_COLUMNS = "version, event_time, times::text, \"values\"::text, encode(salt, 'hex'), erased_at"
READ = f"select {_COLUMNS} from features where entity_id = :entity_id"  # noqa: S608 - a constant
_READ_MANY = (
    f"select entity_id, {_COLUMNS} from features"  # noqa: S608 - a constant
    " where entity_id in (select json_array_elements_text(cast(:entity_ids as json)))"
)
_PAGE = (
    f"select entity_id, {_COLUMNS} from features"  # noqa: S608 - a constant
    " where entity_id > :after order by entity_id limit cast(:most as bigint)"
)


class PostgresFeatures:
    """A `DurableTier` and `RepairTier` in Postgres; connects when first needed, and again after a lost connection.

    Args:
        connection: where the features lie; may be shared with other tiers of the same thread.
        history_keep: seconds; an older write reaches the current values, but no history.
    """

    def __init__(self, connection: PostgresConnection, history_keep: float = DEFAULT_HISTORY_KEEP) -> None:
        self._connection, self._keep = connection, history_keep
        self._months = PostgresMonths(connection, history_keep)

    def read(self, entity_id: str) -> FeatureRecord | None:
        """See `DurableTier.read`."""
        rows = self._connection.query(READ, entity_id=entity_id)
        return _record(*rows[0]) if rows else None

    def read_many(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        """See `RepairTier.read_many`."""
        rows = self._connection.query(_READ_MANY, entity_ids=orjson.dumps(list(entity_ids)).decode())
        return {row[0]: _record(*row[1:]) for row in rows}

    def page(self, after: str, limit: int) -> dict[str, FeatureRecord]:
        """Return the records of the next entities after one, in the server's order; tombstones too.

        Args:
            after: the entity to go on after; empty for the first page.
            limit: entities at most.

        Raises:
            Unavailable: Postgres does not answer.
        """
        rows = self._connection.query(_PAGE, after=after, most=limit)
        return {row[0]: _record(*row[1:]) for row in rows}

    def merge(self, updates: Sequence[FeatureUpdate]) -> Merged:
        """See `DurableTier.merge`. After a timeout it may have been written: the same again changes nothing."""
        self._months.ensure(update.event_time for update in updates)
        try:
            return self._merge(updates)
        except Refused as error:
            if error.code != NO_PARTITION:
                raise
        self._months.forget()
        self._months.ensure(update.event_time for update in updates)
        return self._merge(updates)

    def settle(self, repair: int) -> None:
        """See `DurableTier.settle`."""
        settle(self._connection, repair)

    def unsettled(self, older_than: float, limit: int) -> list[Repair]:
        """See `RepairTier.unsettled`."""
        return unsettled(self._connection, older_than, limit)

    def close(self) -> None:
        """Close the connection, if there is one; the next call opens a new one."""
        self._connection.close()

    def _merge(self, updates: Sequence[FeatureUpdate]) -> Merged:
        if len(updates) == 1:
            update = updates[0]
            outcome = merge_one(
                self._connection, update.entity_id, update.event_time, values_to_json(update.values), self._keep
            )
            return Merged(self._records([(updates, outcome)]), outcome.repair)
        groups = _distinct(updates)
        if len(groups) == 1:
            outcome = self._several(groups[0], noted=True)
            return Merged(self._records([(updates, outcome)]), outcome.repair)
        with self._connection.transaction():
            outcomes = [(group, self._several(group, noted=False)) for group in groups]
            repair = leave_note(self._connection, sorted({update.entity_id for update in updates}))
        return Merged(self._records(outcomes), repair)

    def _several(self, group: Sequence[FeatureUpdate], *, noted: bool) -> Outcome:
        rows = [(update.entity_id, update.event_time, values_to_json(update.values)) for update in group]
        return merge_several(self._connection, rows, self._keep, noted=noted)

    def _records(self, outcomes: Sequence[tuple[Sequence[FeatureUpdate], Outcome]]) -> dict[str, FeatureRecord]:
        """Return the records that stand; what an erasure's floor refused is read, since no merge returned it."""
        records: dict[str, FeatureRecord] = {}
        for group, outcome in outcomes:
            brought = {update.entity_id: update for update in group}
            records |= {row.entity_id: _merged_record(row, brought[row.entity_id]) for row in outcome.rows}
        refused = {update.entity_id for group, _ in outcomes for update in group} - records.keys()
        return records | self.read_many(sorted(refused)) if refused else records


def _record(  # noqa: PLR0917 - the columns of a row
    version: int, event_time: float, times: str, values: str, salt: str | None, erased_at: float | None
) -> FeatureRecord:
    others = orjson.loads(times) if times != "{}" else {}
    return record_from_parts(orjson.loads(values), event_time, others, version, salt or "", erased_at)


def _merged_record(row: MergedRow, brought: FeatureUpdate) -> FeatureRecord:
    if row.values is None:
        times = dict.fromkeys(brought.values, row.event_time)
        return FeatureRecord(dict(brought.values), times, row.version, row.salt, row.erased_at)
    return _record(row.version, row.event_time, row.times or "{}", row.values, row.salt, row.erased_at)


def _distinct(updates: Sequence[FeatureUpdate]) -> list[list[FeatureUpdate]]:
    """Split into turns in which no entity stands twice: one statement may touch a row only once.

    The first turn has every entity, so that all rows are locked by one statement, in the same order for everybody.
    """
    turns: list[list[FeatureUpdate]] = []
    stood: dict[str, int] = {}
    for update in updates:
        turn = stood[update.entity_id] = stood.get(update.entity_id, -1) + 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(update)
    return turns
