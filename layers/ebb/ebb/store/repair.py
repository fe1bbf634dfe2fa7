"""Making the fast tier hold what the durable one holds: after a missed write, ahead of expiry, and after a loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord, RepairTier
from ebb.store.runs import RUN, runs


class Writable(Protocol):
    """The fast tier as far as it is only told; see `FastTier.put`."""

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """See `FastTier.put`."""


class CurrentTier(Protocol):
    """The durable tier, page by page."""

    def page(self, after: str, limit: int) -> dict[str, FeatureRecord]:
        """Return the records of the next entities after one, in the tier's own order; tombstones too.

        Args:
            after: the entity to go on after; empty for the first page.
            limit: entities at most.

        Raises:
            Unavailable: the tier does not answer.
        """


@dataclass(frozen=True)
class Drained:
    """What was repaired.

    Attributes:
        notes: settled now.
        records: told to the fast tier.
        away: why the fast tier could not be told; empty where it could.
    """

    notes: int = 0
    records: int = 0
    away: str = ""


def drain(durable: RepairTier, fast: Writable, older_than: float, limit: int) -> Drained:
    """Work off the oldest notes: read their entities anew, tell the fast tier, settle.

    A younger note is left to the write that made it. What the fast tier does not take stays noted.

    Args:
        durable: where the notes lie.
        fast: compares versions, so that what it learnt since is not undone.
        older_than: seconds a note must have stood.
        limit: notes at most.

    Raises:
        Unavailable: the durable tier does not answer; what was told until then may be told again.
    """
    notes = records = 0
    for note in durable.unsettled(older_than, limit):
        try:
            records += _tell(durable, fast, note.entity_ids)
        except _FastAway as error:
            return Drained(notes, records, str(error))
        durable.settle(note.id)
        notes += 1
    return Drained(notes, records)


def refresh(durable: RepairTier, fast: Writable, hot_ids: Sequence[str]) -> int:
    """Put the records of hot entities anew, so that they never expire; returns how many.

    Raises:
        Unavailable: a tier does not answer; some may have been put.
    """
    return _tell(durable, fast, hot_ids)


@dataclass(frozen=True)
class Refilled:
    """How far a refill came.

    Attributes:
        records: told to the fast tier.
        after: the entity to go on after; empty where all are told.
        stopped: why the fast tier took no more, as when it is full; empty where it did.
    """

    records: int
    after: str
    stopped: str = ""


def refill(durable: CurrentTier, fast: Writable, after: str, may_go_on: Callable[[], bool]) -> Refilled:
    """Tell the fast tier every current record, page by page; at least one page a call.

    Tombstones are left out: an empty tier holds nothing that one would have to undo.

    Args:
        durable: what holds everything.
        fast: what came back empty.
        after: where an earlier call stopped; empty to begin.
        may_go_on: asked before each further page.

    Raises:
        Unavailable: the durable tier does not answer.
    """
    told = 0
    while page := durable.page(after, RUN):
        records = {entity_id: record for entity_id, record in page.items() if not record.is_tombstone}
        try:
            fast.put(records)
        except Unavailable as error:
            return Refilled(told, after, str(error))
        told += len(records)
        after = next(reversed(page))
        if len(page) == RUN and not may_go_on():
            return Refilled(told, after)
    return Refilled(told, "")


class _FastAway(Unavailable):
    """The fast tier, not the durable one, does not answer."""


def _tell(durable: RepairTier, fast: Writable, entity_ids: Sequence[str]) -> int:
    told = 0
    for ids in runs(entity_ids):
        records = durable.read_many(ids)
        try:
            fast.put(records)
        except Unavailable as error:
            raise _FastAway(str(error)) from None
        told += len(records)
    return told
