"""Last-known-good records of this process: bounded in number and in age."""

import time
from collections.abc import Callable

from cachetools import TTLCache

from ebb.ports import FeatureRecord

SECONDS = 60.0
"""No record is used longer after it was read: so an erasure reaches every process in that time."""

ENTITIES = 10_000


class LastKnown:
    """Remembers the records that a tier answered, for when no tier answers.

    Args:
        entities: remembered at once; the one that was used longest ago is forgotten first.
        seconds: how long each is remembered after it was read.
        clock: monotonic seconds.
    """

    def __init__(
        self, entities: int = ENTITIES, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._records: TTLCache[str, FeatureRecord] = TTLCache(entities, min(seconds, SECONDS), clock)

    def keep(self, entity_id: str, record: FeatureRecord) -> None:
        """Remember what a tier answered just now; a tombstone is remembered as nothing.

        What is older than what is remembered is not: a replica that lags behind may have answered.
        """
        known = self.get(entity_id)
        if record.is_tombstone:
            self._records.pop(entity_id, None)
        elif known is None or known.version <= record.version:
            self._records[entity_id] = record

    def forget(self, entity_id: str) -> None:
        """Forget one entity."""
        self._records.pop(entity_id, None)

    def get(self, entity_id: str) -> FeatureRecord | None:
        """Return what is remembered, or None."""
        record: FeatureRecord | None = self._records.get(entity_id)
        return record
