"""A subject's rights: everything that is held in one document, and its erasure in every tier."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ebb.errors import Unavailable, UnknownEntity
from ebb.ports import Access, FastReader, FeatureRecord, SubjectTier
from ebb.store.compare import how
from ebb.store.subject_document import AWAY, HISTORY_ROWS, fast_state, features_document, fitting, record_document

CACHE_SECONDS = 60.0
"""So long after the fast tier was told, no process answers from what it remembered of an erased subject."""

FOLLOW_SECONDS = 120.0
"""So long another region may take until its fast tier was told: its maintenance runs each minute, its replica lags
behind, and a run takes its time. It is no promise: the metric `followed_lag_seconds` says whether it is kept."""


class SubjectFast(FastReader, Protocol):
    """The fast tier as subject rights need it."""

    def put_everywhere(self, records: Mapping[str, FeatureRecord]) -> bool:
        """See `FastTier.put`; tell whether a replica that may answer in its place holds the records too."""


@dataclass(frozen=True)
class Erased:
    """What an erasure did.

    Attributes:
        erased_at: epoch seconds of the durable tier; no event up to then is ever held again.
        fast_pending: whether the fast tier, or its replica, may still answer with what was erased: the one is told by
            the maintenance, the other follows it.
        clear_after: seconds until every cache has forgotten, when nothing is pending.
    """

    erased_at: float
    fast_pending: bool
    clear_after: float = CACHE_SECONDS

    def document(self, now: float) -> dict[str, Any]:
        """Return the part of the answer that every caller gets, at `now` (epoch seconds)."""
        return {
            "erased_at": self.erased_at,
            "durable_tier": "erased",
            "fast_tier": "pending" if self.fast_pending else "erased",
            # A fast tier that comes back with the old record may be remembered once more, until it is told.
            "caches_clear_at": None if self.fast_pending else now + self.clear_after,
        }


class Subjects:
    """Answers and erases subjects.

    Args:
        durable: what decides, and keeps the accesses.
        fast: what answers predictions.
        followed: whether another region follows, and forgets later than this one.
    """

    def __init__(self, durable: SubjectTier, fast: SubjectFast, *, followed: bool = False) -> None:
        self._durable, self._fast = durable, fast
        self._clear_after = CACHE_SECONDS + (FOLLOW_SECONDS if followed else 0.0)

    def export(self, entity_id: str, access: Access, history_from: int = 0) -> dict[str, Any]:
        """Return everything that is held of a subject; the access is recorded before anything is returned.

        A history that is too long for one document goes on in the next: `history_next` is its `history_from`, or None.

        Args:
            entity_id: whom.
            access: who asks.
            history_from: how many writes of the history earlier documents had.

        Raises:
            UnknownEntity: nothing is or was held.
            Unavailable: the durable tier does not answer, or the access cannot be recorded.
        """
        held = self._durable.read(entity_id)
        fast, state = self._look(entity_id)
        if held is None and fast is None and not self._durable.accesses(entity_id):
            raise UnknownEntity("nothing is held of this subject, and nothing was: check the id")
        self._durable.record_access(entity_id, access)
        held = self._durable.read(entity_id)
        if fast is not None and how(fast, held):  # a write may have passed through in between
            fast, state = self._look(entity_id)
            held = self._durable.read(entity_id)
        rows = self._durable.history(entity_id, history_from, HISTORY_ROWS + 1)
        history = fitting(rows)
        return {
            "entity_id": entity_id,
            "exported_at": access.at,
            "current": record_document(held),
            "fast_tier": {"state": state or fast_state(fast, held), "record": record_document(fast)},
            "history": history,
            "history_next": history_from + len(history) if len(history) < len(rows) else None,
            "accesses": [vars(each) for each in self._durable.accesses(entity_id)],
        }

    def known_at(self, entity_id: str, event_time: float, ingested_at: float) -> dict[str, Any]:
        """Return the values that were true at `event_time`, as far as they were known at `ingested_at`.

        Raises:
            Unavailable: the durable tier does not answer.
        """
        record = self._durable.known_at(entity_id, event_time, ingested_at)
        return {
            "event_time": event_time,
            "ingested_at": ingested_at,
            "features": features_document(record) if record is not None else {},
        }

    def erase(self, entity_id: str, access: Access) -> Erased:
        """Erase a subject in every tier and leave a tombstone, also where nothing was held: events may be on the way.

        Raises:
            Unavailable: the durable tier does not answer; nothing was erased.
        """
        merged = self._durable.erase(entity_id, access)
        erased_at = merged.records[entity_id].erased_at
        when = access.at if erased_at is None else erased_at
        try:
            everywhere = self._fast.put_everywhere(merged.records)
        except Unavailable:
            return Erased(when, fast_pending=True)
        with suppress(Unavailable):  # then the note stays, and is worked off once more
            self._durable.settle(merged.repair)
        return Erased(when, fast_pending=not everywhere, clear_after=self._clear_after)

    def _look(self, entity_id: str) -> tuple[FeatureRecord | None, str]:
        try:
            return self._fast.held([entity_id]).get(entity_id), ""
        except Unavailable:
            return None, AWAY
