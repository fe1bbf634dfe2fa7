"""No stale value is ever used silently: in every order of writes, losses, expiry, erasure and a bulk load."""

from contextlib import nullcontext
from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ebb.contract import WhenStale
from ebb.errors import StaleFeatures
from ebb.ports import Access, FeatureRecord, FeatureUpdate, Merged
from ebb.store.reading import Reading
from ebb.store.store import FeatureStore
from lambdas.predict.resolve import Resolved, resolve
from tests.fakes.contracts import tiny_contract
from tests.fakes.stores import MemoryStore

AGES = {"tenure": 100.0, "spend": 300.0, "city": 1_000.0}
POLICIES = {"tenure": WhenStale.DEGRADE, "spend": WhenStale.SERVE, "city": WhenStale.REFUSE}
TTLS = {"tenure": 50.0, "spend": 200.0}
WHO = st.sampled_from(["a", "b"])


def _contract() -> object:
    tiny = tiny_contract()
    features = tuple(
        replace(f, max_age=AGES[f.name], when_stale=POLICIES[f.name], missing=True, default=None)
        for f in tiny.features
        if f.name in AGES
    )
    return replace(tiny, features=features)


CONTRACT = _contract()


@dataclass(frozen=True)
class Known:
    """A value that was written, unique among all, and since when it was true."""

    value: float
    event_time: float


class Tiers(RuleBasedStateMachine):
    """Two processes on the same tiers; every prediction is held against all that was ever written."""

    @initialize()
    def start(self) -> None:
        self.world = MemoryStore()
        self.stores = [self.world.store, self.world.another()]
        self.written: dict[tuple[str, str], list[Known]] = {}
        self.erased: dict[str, float] = {}
        self.pending: list[Merged] = []
        self.number = 0.0

    @rule(who=WHO, names=st.sets(st.sampled_from(sorted(AGES)), min_size=1), late=st.floats(0, 400))
    def write(self, who: str, names: set[str], late: float) -> None:
        if not self.world.durable.away:
            self.stores[0].write([self._update(who, names, late)])

    @rule(late=st.floats(0, 400))
    def bulk_load_merges_a_batch(self, late: float) -> None:
        if not self.world.durable.away:
            self.pending.append(self.world.durable.merge([self._update(who, set(AGES), late) for who in "ab"]))

    @rule()
    def bulk_load_reaches_the_fast_tier(self) -> None:
        if self.pending and not self.world.fast.away:
            self.world.fast.put(self.pending.pop(0).records)

    @rule(seconds=st.floats(0, 120))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.now += seconds

    @rule(fast=st.booleans(), durable=st.booleans())
    def servers_come_and_go(self, fast: bool, durable: bool) -> None:
        self.world.fast.away, self.world.durable.away = fast, durable

    @rule(who=WHO)
    def erase(self, who: str) -> None:
        if not self.world.durable.away and not self.world.fast.away:
            merged = self.world.durable.erase(who, Access(0.0, "me", "erase", "c"))
            self.world.fast.put(merged.records)
            self.erased[who] = self.world.clock.now

    @rule(who=WHO, process=st.sampled_from([0, 1]))
    def predict(self, who: str, process: int) -> None:
        self._judge(who, self.stores[process])

    @invariant()
    def time_never_stands_still(self) -> None:
        if hasattr(self, "world"):
            self.world.clock.now += 0.001

    def _update(self, who: str, names: set[str], late: float) -> FeatureUpdate:
        event_time = self.world.clock.now - late
        values: dict[str, float | str] = {}
        for name in sorted(names):
            self.number += 1
            values[name] = str(self.number) if name == "city" else self.number % 120
            self.written.setdefault((who, name), []).append(Known(self.number, event_time))
        return FeatureUpdate(who, values, event_time)

    def _judge(self, who: str, store: FeatureStore) -> None:
        now = self.world.clock.now
        reading = store.read(who, "me", TTLS)
        try:
            resolved = resolve(CONTRACT, {}, reading, now)  # type: ignore[arg-type]
        except StaleFeatures as refused:
            assert "city" in str(refused)
            assert reading.record is not None
            assert now - reading.record.event_times["city"] > AGES["city"]
            return
        if reading.record is not None and "city" in reading.record.values:
            assert now - reading.record.event_times["city"] <= AGES["city"], "it was not refused"
        assert not isinstance(resolved.ages, float)
        for name, age in resolved.ages.items():
            self._judge_value(who, name, age, resolved, now)
        if reading.tier == "cache":
            assert self.world.fast.away or self.world.durable.away

    def _judge_value(self, who: str, name: str, age: float, resolved: Resolved, now: float) -> None:
        value = resolved.row[name]
        true_times = [
            known.event_time
            for known in self.written[who, name]
            if value == (str(known.value) if name == "city" else known.value % 120)
        ]
        assert any(abs(now - time - age) < 1e-3 for time in true_times), "the age told is not the value's own"
        if age > AGES[name]:
            assert POLICIES[name] is WhenStale.SERVE
            assert name in resolved.stale
        if who in self.erased and now - age <= self.erased[who]:
            # Only the caches of processes that lost both tiers may still know it, and those for a minute at most.
            assert resolved.tier == "cache"
            assert now - self.erased[who] <= 60


@pytest.mark.parametrize("name", sorted(AGES))
def test_a_value_is_stale_when_it_is_older_than_its_max_age_and_not_before(name: str) -> None:
    record = FeatureRecord({name: "7.0" if name == "city" else 7.0}, {name: 1_000.0}, 1)
    limit = 1_000.0 + AGES[name]
    fresh = resolve(CONTRACT, {}, Reading(record, "fast"), limit)  # type: ignore[arg-type]
    assert (fresh.stale, fresh.refused, fresh.ages) == ([], [], {name: AGES[name]})
    with pytest.raises(StaleFeatures) if name == "city" else nullcontext():
        old = resolve(CONTRACT, {}, Reading(record, "fast"), limit + 0.001)  # type: ignore[arg-type]
        assert old.stale == [name]
        assert bool(old.refused) == (POLICIES[name] is WhenStale.DEGRADE)


TestTiers = Tiers.TestCase
TestTiers.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
