"""In-memory tiers that keep the promises of the real ones (the contract suite runs on both)."""

from collections.abc import Mapping, Sequence

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord, FeatureUpdate


class MemoryTier:
    """A `DurableTier` in a dictionary; `away` makes it unreachable."""

    def __init__(self) -> None:
        self.records: dict[str, FeatureRecord] = {}
        self.reads = 0
        self.away = False

    def read(self, entity_id: str) -> FeatureRecord | None:
        self._answer()
        self.reads += 1
        return self.records.get(entity_id)

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        self._answer()
        for entity_id, record in records.items():
            held = self.records.get(entity_id)
            if held is None or held.version < record.version:
                self.records[entity_id] = record

    def merge(self, updates: Sequence[FeatureUpdate]) -> dict[str, FeatureRecord]:
        self._answer()
        for update in updates:
            self.records[update.entity_id] = _merged(self.records.get(update.entity_id), update)
        return {u.entity_id: self.records[u.entity_id] for u in updates}

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("the tier does not answer")


def _merged(held: FeatureRecord | None, update: FeatureUpdate) -> FeatureRecord:
    if held is None:
        return FeatureRecord(dict(update.values), dict.fromkeys(update.values, update.event_time), 1)
    values, times = dict(held.values), dict(held.event_times)
    for name, value in update.values.items():
        if name not in times or update.event_time >= times[name]:
            values[name], times[name] = value, update.event_time
    return FeatureRecord(values, times, held.version + 1)
