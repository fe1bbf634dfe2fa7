"""The feature store: the fast tier in front of the durable one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.ports import DurableTier, FeatureRecord, FeatureTier, FeatureUpdate


@dataclass(frozen=True)
class Found:
    """A record and where it was read.

    Attributes:
        record: what is held.
        tier: `fast` or `durable`.
    """

    record: FeatureRecord
    tier: str


class FeatureStore:
    """Reads the fast tier first and writes the durable one first.

    Args:
        fast: answers in well under a millisecond, may forget.
        durable: decides which value is the newest.
    """

    def __init__(self, fast: FeatureTier, durable: DurableTier) -> None:
        self._fast, self._durable = fast, durable

    def read(self, entity_id: str) -> Found | None:
        """Return the entity's record, or None where neither tier holds one.

        What the fast tier lacks is read from the durable one and written back.

        Raises:
            Unavailable: the fast tier does not hold it or does not answer, and the durable one does not answer.
        """
        fast_answers = True
        try:
            record = self._fast.read(entity_id)
        except Unavailable:
            record, fast_answers = None, False
        if record is not None:
            return Found(record, "fast")
        record = self._durable.read(entity_id)
        if record is None:
            return None
        if fast_answers:
            with suppress(Unavailable):
                self._fast.put({entity_id: record})
        return Found(record, "durable")

    def write(self, updates: Sequence[FeatureUpdate]) -> dict[str, FeatureRecord]:
        """Merge updates into the durable tier, then renew the fast one.

        Returns:
            The records as they now stand, by entity.

        Raises:
            Unavailable: a tier does not answer; the same write may be sent again, and changes nothing twice.
        """
        records = self._durable.merge(updates)
        self._fast.put(records)
        return records
