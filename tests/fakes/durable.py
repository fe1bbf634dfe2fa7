"""The durable tier in memory: it keeps every promise that Postgres keeps (the contract suites run on both)."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ebb.errors import Unavailable
from ebb.event_time import AHEAD_SECONDS
from ebb.ports import Access, FeatureRecord, FeatureUpdate, HistoryRow, Merged, Repair


@dataclass(frozen=True)
class _Note:
    repair: Repair
    at: float


@dataclass
class MemoryDurable:
    """A `DurableTier`, `RepairTier` and `SubjectTier`; `away` makes it unreachable.

    Attributes:
        clock: epoch seconds, the server's own.
        records: what is held now, tombstones too.
        writes: the history, by entity, as it came.
        looks: the recorded accesses, by entity.
        changed: told the records of each transaction, for a feed.
        reads: how often a single entity was read.
    """

    clock: Callable[[], float] = time.time
    away: bool = False
    reads: int = 0
    records: dict[str, FeatureRecord] = field(default_factory=dict)
    writes: dict[str, list[HistoryRow]] = field(default_factory=dict)
    looks: dict[str, list[Access]] = field(default_factory=dict)
    notes: dict[int, _Note] = field(default_factory=dict)
    changed: Callable[[Mapping[str, FeatureRecord]], None] = lambda _: None
    _numbered: int = 0

    def read(self, entity_id: str) -> FeatureRecord | None:
        self._answer()
        self.reads += 1
        return self.records.get(entity_id)

    def read_many(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        self._answer()
        return {entity_id: self.records[entity_id] for entity_id in entity_ids if entity_id in self.records}

    def page(self, after: str, limit: int) -> dict[str, FeatureRecord]:
        self._answer()
        later = [entity_id for entity_id in sorted(self.records) if entity_id > after]
        return {entity_id: self.records[entity_id] for entity_id in later[:limit]}

    def count(self) -> int:
        self._answer()
        return sum(not record.is_tombstone for record in self.records.values())

    def merge(self, updates: Sequence[FeatureUpdate]) -> Merged:
        self._answer()
        for update in updates:
            held = self.records.get(update.entity_id)
            if held is not None and held.erased_at is not None and update.event_time <= held.erased_at:
                continue
            self.records[update.entity_id] = _merged(held, update)
            row = HistoryRow(dict(update.values), update.event_time, self.clock())
            self.writes.setdefault(update.entity_id, []).append(row)
        return self._noted(sorted({update.entity_id for update in updates}))

    def settle(self, repair: int) -> None:
        self._answer()
        self.notes.pop(repair, None)

    def unsettled(self, older_than: float, limit: int) -> list[Repair]:
        self._answer()
        now = self.clock()
        return [note.repair for note in self.notes.values() if now - note.at > older_than][:limit]

    def known_at(self, entity_id: str, event_time: float, ingested_at: float) -> FeatureRecord | None:
        rows = [r for r in self.history(entity_id) if r.event_time <= event_time and r.ingested_at <= ingested_at]
        if not rows:
            return None
        held: FeatureRecord | None = None
        for row in reversed(rows):
            held = _merged(held, FeatureUpdate(entity_id, row.values, row.event_time))
        return held and replace(held, version=0, salt="")

    def history(self, entity_id: str, first: int = 0, most: int | None = None) -> list[HistoryRow]:
        self._answer()
        rows = self.writes.get(entity_id, [])
        ordered = sorted(rows, key=lambda row: (row.event_time, row.ingested_at), reverse=True)[first:]
        return ordered if most is None else ordered[:most]

    def accesses(self, entity_id: str) -> list[Access]:
        self._answer()
        return list(self.looks.get(entity_id, []))

    def record_access(self, entity_id: str, access: Access) -> None:
        self._answer()
        self.looks.setdefault(entity_id, []).append(access)

    def erase(self, entity_id: str, access: Access) -> Merged:
        self._answer()
        held = self.records.get(entity_id)
        version = held.version + 1 if held else 1
        self.records[entity_id] = FeatureRecord({}, {}, version, erased_at=self._floor(held))
        self.writes.pop(entity_id, None)
        self.record_access(entity_id, access)
        return self._noted([entity_id])

    def _floor(self, held: FeatureRecord | None) -> float:
        """Return until when nothing is held again: what was ahead of the clock is from before the erasure too."""
        now = self.clock()
        if held is None:
            return now
        newest = min(max(held.event_times.values(), default=now), now + AHEAD_SECONDS)
        return max(now, newest, held.erased_at or now)

    def _noted(self, entity_ids: Sequence[str]) -> Merged:
        """Leave the note of a merge; one that touched nothing leaves one too, as its own transaction does."""
        self._numbered += 1
        self.notes[self._numbered] = _Note(Repair(self._numbered, tuple(entity_ids)), self.clock())
        records = {entity_id: self.records[entity_id] for entity_id in entity_ids}
        self.changed(records)
        return Merged(records, self._numbered)

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("the durable tier does not answer")


def _merged(held: FeatureRecord | None, update: FeatureUpdate) -> FeatureRecord:
    """Merge value by value, the newer or equal event time winning; who was erased comes back with a new salt."""
    if held is None:
        held = FeatureRecord({}, {}, 0)
    values, times = dict(held.values), dict(held.event_times)
    for name, value in update.values.items():
        if name not in times or update.event_time >= times[name]:
            values[name], times[name] = value, update.event_time
    return FeatureRecord(values, times, held.version + 1, held.salt or secrets.token_hex(16), held.erased_at)
