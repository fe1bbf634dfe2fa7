"""Making the fast tier hold what the durable one holds: after a missed write, and ahead of expiry."""

from collections.abc import Sequence
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.ports import DurableReader, FastWriter, RepairTier
from ebb.store.runs import runs


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


def drain(durable: RepairTier, fast: FastWriter, older_than: float, limit: int) -> Drained:
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


def refresh(durable: DurableReader, fast: FastWriter, hot_ids: Sequence[str]) -> int:
    """Put the records of hot entities anew, so that they never expire; returns how many.

    Raises:
        Unavailable: a tier does not answer; some may have been put.
    """
    return _tell(durable, fast, hot_ids)


class _FastAway(Unavailable):
    """The fast tier, not the durable one, does not answer."""


def _tell(durable: DurableReader, fast: FastWriter, entity_ids: Sequence[str]) -> int:
    told = 0
    for ids in runs(entity_ids):
        records = durable.read_many(ids)
        try:
            fast.put(records)
        except Unavailable as error:
            raise _FastAway(str(error)) from None
        told += len(records)
    return told
