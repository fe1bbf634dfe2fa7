"""An in-memory fast tier that keeps the promises of the real one (the contract suite runs on both)."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.plans import DAY, Allowance, Plans
from ebb.ports import FastAnswer, FastAnswers, FeatureRecord
from ebb.record_json import record_from_json
from ebb.resilience.rate_limit import RateLimiter

NO_LIMIT = Allowance(0.0, sys.maxsize, 0.0)
_HALF_LIFE, _HOT, _MOST = 60.0, 5.0, 1_024


@dataclass
class _Held:
    record: FeatureRecord
    put_at: float
    ends: float


class MemoryFast:
    """A `FastTier` in a dictionary; `away` makes it unreachable, `hedged` answers as a replica does."""

    def __init__(
        self,
        *,
        ttl: float = 365 * 86_400.0,
        shortest_ttl: float | None = None,
        plans: Plans | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._held: dict[str, _Held] = {}
        self._counts: dict[str, tuple[float, float]] = {}
        self._ttl, self._refresh, self._clock = ttl, min(shortest_ttl or ttl, ttl) / 2, clock
        self._limiter = RateLimiter(plans, clock) if plans else None
        self._used: Counter[tuple[str, int]] = Counter()
        self.away = self.hedged = False
        self.routing = self.asked = self.puts = 0

    @property
    def records(self) -> dict[str, FeatureRecord]:
        """Return what is held now."""
        return {entity_id: h.record for entity_id, h in self._held.items() if h.ends > self._clock()}

    def ask(self, entity_id: str, client: str) -> FastAnswer:
        self.asked += 1
        self._answer()
        allowance = None if self.hedged else self._admitted(client, 1)
        record, since = self._look(entity_id)
        if allowance is not None and not allowance.wait and record is not None and not record.is_tombstone:
            self._count(entity_id)
        return FastAnswer(record, since, allowance, self.routing, self.hedged)

    def ask_many(self, entity_ids: Sequence[str], client: str) -> FastAnswers:
        self.asked += 1
        self._answer()
        allowance = None if self.hedged else self._admitted(client, len(entity_ids))
        looks = [self._look(entity_id) for entity_id in entity_ids]
        records, since = [record for record, _ in looks], [since for _, since in looks]
        return FastAnswers(records, since, allowance, self.routing, self.hedged)

    def admit(self, client: str, cost: int) -> Allowance:
        self._answer()
        return self._admitted(client, cost)

    def announce_routing(self, version: int) -> None:
        self._answer()
        self.routing = max(self.routing, version)

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        self.puts += 1
        self._answer()
        now = self._clock()
        standing = self.records
        for entity_id, record in records.items():
            held = standing.get(entity_id)
            if held is None or held.version < record.version:
                self._held[entity_id] = _Held(record, now, now + self._ttl)
            elif held.version == record.version:
                self._held[entity_id] = _Held(held, now, now + self._ttl)
            if record.is_tombstone:
                self._counts.pop(entity_id, None)

    def put_everywhere(self, records: Mapping[str, FeatureRecord]) -> bool:
        self.put(records)
        return True

    def put_json(self, records: Iterable[tuple[str, int, bytes]]) -> None:
        for entity_id, version, content in records:
            self.put({entity_id: record_from_json(content, version)})

    def hot(self, limit: int) -> list[str]:
        self._answer()
        counts = {entity_id: self._decayed(entity_id) for entity_id in self._counts}
        return sorted((e for e, count in counts.items() if count >= _HOT), key=counts.__getitem__, reverse=True)[:limit]

    def held(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        self._answer()
        records = self.records
        return {entity_id: records[entity_id] for entity_id in entity_ids if entity_id in records}

    def scan(self, batch: int = 1_000) -> Iterator[list[str]]:
        self._answer()
        found = list(self.records)
        for start in range(0, len(found), batch):
            yield found[start : start + batch]

    def expire(self, entity_id: str) -> None:
        """Let a record's life end now."""
        self._held.pop(entity_id, None)

    def _look(self, entity_id: str) -> tuple[FeatureRecord | None, float]:
        held, now = self._held.get(entity_id), self._clock()
        return (held.record, now - held.put_at) if held is not None and held.ends > now else (None, 0.0)

    def _admitted(self, client: str, cost: int) -> Allowance:
        if self._limiter is None:
            return NO_LIMIT
        daily, now = self._limiter.plans.of(client).daily, self._clock()
        if daily is None:
            return self._limiter.take(client, cost)
        day = (client, int(now // DAY))
        left = daily - self._used[day]
        if cost > left:
            wait = DAY - now % DAY
            return self._limiter.take(client, 0)._replace(wait=wait, reset=wait, quota_left=left, refused="quota")
        allowance = self._limiter.take(client, cost)
        if not allowance.wait:
            self._used[day] += cost
        return allowance._replace(quota_left=daily - self._used[day])

    def _count(self, entity_id: str) -> None:
        count = self._decayed(entity_id) + 1
        if entity_id not in self._counts and len(self._counts) >= _MOST:
            del self._counts[min(self._counts, key=self._decayed)]
        now, held = self._clock(), self._held[entity_id]
        self._counts[entity_id] = (count, now)
        if count >= _HOT and now - held.put_at > self._refresh:
            held.put_at, held.ends = now, now + self._ttl

    def _decayed(self, entity_id: str) -> float:
        count, at = self._counts.get(entity_id, (0.0, 0.0))
        return float(count * 2 ** -((self._clock() - at) / _HALF_LIFE))

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("the fast tier does not answer")
