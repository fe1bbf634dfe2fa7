"""Last-known-good records of this process: bounded in number and in age."""

import time
from collections import OrderedDict
from collections.abc import Callable

from ebb.ports import FeatureRecord

SECONDS = 60.0
"""No record is used longer after it was read: so an erasure reaches every process in that time."""

ENTITIES = 10_000


class LastKnown:
    """Remembers the records that a tier answered, for when no tier answers.

    Args:
        entities: remembered at once; the one that was read longest ago is forgotten first.
        seconds: how long each is remembered after it was read.
        clock: monotonic seconds.
    """

    def __init__(
        self, entities: int = ENTITIES, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entities, self._seconds, self._clock = entities, min(seconds, SECONDS), clock
        # In the order of their reads, so what is to be forgotten always stands first.
        self._records: OrderedDict[str, tuple[float, FeatureRecord]] = OrderedDict()

    def keep(self, entity_id: str, record: FeatureRecord) -> None:
        """Remember what a tier answered just now; a tombstone is remembered as nothing.

        What is older than what is remembered is not: a replica that lags behind may have answered.
        """
        if record.is_tombstone:
            self.forget(entity_id)
            return
        now, records = self._clock(), self._records
        held = records.get(entity_id)
        if held is not None and held[1].version > record.version and now < held[0]:
            return
        records[entity_id] = (now + self._seconds, record)
        records.move_to_end(entity_id)
        self._forget_what_is_old(now)

    def forget(self, entity_id: str) -> None:
        """Forget one entity."""
        self._records.pop(entity_id, None)

    def get(self, entity_id: str) -> FeatureRecord | None:
        """Return what is remembered, or None."""
        held = self._records.get(entity_id)
        return held[1] if held is not None and self._clock() < held[0] else None

    def _forget_what_is_old(self, now: float) -> None:
        records = self._records
        while len(records) > self._entities or next(iter(records.values()))[0] <= now:
            records.popitem(last=False)
