"""The store reads the fast tier first, writes the durable one first, and survives the loss of both."""

import pytest

from ebb.errors import Unavailable
from ebb.plans import Plan
from ebb.ports import Access, FeatureRecord, FeatureUpdate
from ebb.store.last_known import LastKnown
from ebb.store.reading import Reading
from ebb.store.repair import drain
from ebb.store.store import AWAY, BUSY
from tests.fakes.stores import Clock, MemoryStore


@pytest.fixture
def world() -> MemoryStore:
    return MemoryStore()


def _read(world: MemoryStore, entity_id: str = "a", ttls: dict[str, float] | None = None) -> Reading:
    return world.store.read(entity_id, "me", ttls or {})


def _write(world: MemoryStore, value: float = 1.0, entity_id: str = "a", at: float = 10.0) -> None:
    world.store.write([FeatureUpdate(entity_id, {"x": value, "y": value}, at)])


def _value(reading: Reading) -> object:
    assert reading.record is not None
    return reading.record.values["x"]


def test_what_the_fast_tier_lacks_is_read_and_put_back(world: MemoryStore) -> None:
    world.durable.merge([FeatureUpdate("a", {"x": 1}, 10.0)])
    first, second = _read(world), _read(world)
    assert (first.tier, second.tier) == ("durable", "fast")
    assert first.record == second.record
    assert world.durable.reads == 1


def test_an_unknown_entity_is_nothing_and_no_trouble(world: MemoryStore) -> None:
    assert _read(world) == Reading()


def test_a_salt_comes_with_the_first_features_and_stays(world: MemoryStore) -> None:
    _write(world)
    first = _read(world).record
    _write(world, 2.0, at=20.0)
    second = _read(world).record
    assert first is not None
    assert second is not None
    assert len(first.salt) == 32
    assert first.salt == second.salt


def test_a_lost_fast_tier_costs_no_answer(world: MemoryStore) -> None:
    _write(world)
    world.fast.away = True
    assert _read(world).tier == "durable"


def test_a_lost_durable_tier_costs_nothing_while_the_fast_one_holds(world: MemoryStore) -> None:
    _write(world)
    world.durable.away = True
    for _ in range(5):
        assert _read(world).tier == "fast"
    assert world.signals.gauges == {}


def test_with_both_away_the_cache_answers_for_a_minute(world: MemoryStore) -> None:
    _write(world)
    _read(world)
    world.fast.away = world.durable.away = True
    world.clock.now += 59
    assert (_read(world).tier, _value(_read(world))) == ("cache", 1.0)
    world.clock.now += 2
    assert _read(world) == Reading(trouble=AWAY)


def test_the_cache_never_answers_where_a_tier_can(world: MemoryStore) -> None:
    _write(world)
    _read(world)
    other = world.another()
    other.write([FeatureUpdate("a", {"x": 2.0}, 20.0)])
    assert (_read(world).tier, _value(_read(world))) == ("fast", 2.0)
    other.write([FeatureUpdate("a", {"x": 3.0}, 30.0)])
    world.fast.away = True
    assert (_read(world).tier, _value(_read(world))) == ("durable", 3.0)


def test_a_lost_durable_tier_is_not_probed_by_who_finds_the_entity_in_the_cache(world: MemoryStore) -> None:
    _write(world)
    _read(world)
    world.fast.away = world.durable.away = True
    for _ in range(20):
        world.store.read("unknown", "me", {})
    opened = world.signals.counts["breaker_postgres_open"]
    world.clock.now += 5
    for _ in range(5):
        assert _read(world).tier == "cache"
    assert opened == 1
    assert world.signals.counts["breaker_postgres_half_open"] == 0


def test_a_durable_tier_that_is_back_answers_within_one_interval(world: MemoryStore) -> None:
    world.durable.merge([FeatureUpdate("a", {"x": 1}, 10.0)])
    world.durable.away = True
    for _ in range(30):
        assert _read(world).trouble == AWAY
    world.durable.away = False
    assert _read(world).trouble == AWAY
    world.clock.now += 1.0
    assert _read(world).tier == "durable"


def test_above_the_budget_the_durable_tier_is_not_asked() -> None:
    world = MemoryStore(reads_per_second=10)
    world.durable.merge([FeatureUpdate(f"e{i}", {"x": i}, 1.0) for i in range(100)])
    world.fast.away = True
    readings = [world.store.read(f"e{i}", "me", {}) for i in range(100)]
    assert [r.tier for r in readings] == ["durable"] * 10 + ["none"] * 90
    assert {r.trouble for r in readings[10:]} == {BUSY}
    assert world.signals.counts["durable_denied"] == 90
    assert world.store.read("e0", "me", {}).tier == "cache"
    world.clock.now += 1
    assert world.store.read("e50", "me", {}).tier == "durable"
    assert world.durable.reads == 11


def test_a_write_goes_to_the_durable_tier_first(world: MemoryStore) -> None:
    world.durable.away = True
    with pytest.raises(Unavailable):
        _write(world)
    world.durable.away = False
    assert _read(world) == Reading()


def test_a_write_that_the_fast_tier_misses_succeeds_and_is_repaired(world: MemoryStore) -> None:
    _write(world)
    world.fast.away = True
    _write(world, 2.0, at=20.0)
    assert world.signals.counts["repair_left"] == 1
    world.fast.away = False
    drain(world.durable, world.fast, older_than=-1.0, limit=10)
    world.durable.away = True
    assert _value(_read(world)) == 2.0


def test_a_feature_leaves_the_fast_tier_after_its_own_ttl(world: MemoryStore) -> None:
    _write(world)
    world.clock.now += 100
    assert _read(world, ttls={"x": 101.0}).tier == "fast"
    assert _read(world, ttls={"x": 99.0}).tier == "durable"


def test_what_has_left_the_fast_tier_is_named_when_the_durable_one_is_away(world: MemoryStore) -> None:
    _write(world)
    world.clock.now += 100
    world.durable.away = True
    reading = _read(world, ttls={"x": 99.0, "y": 500.0})
    assert (reading.tier, reading.expired, reading.trouble) == ("fast", frozenset({"x"}), "")


def test_what_has_left_the_fast_tier_is_not_answered_by_an_older_record_of_the_cache(world: MemoryStore) -> None:
    _write(world)
    world.clock.now += 80
    assert _value(_read(world)) == 1.0
    world.another().write([FeatureUpdate("a", {"y": 2.0}, 20.0)])  # another process; x is expired soon
    world.clock.now += 20
    world.durable.away = True
    reading = _read(world, ttls={"x": 15.0, "y": 500.0})
    assert reading.record is not None
    assert (reading.tier, reading.record.values["y"], reading.expired) == ("fast", 2.0, frozenset({"x"}))


def test_an_older_answer_takes_no_newer_ones_place_in_the_cache(world: MemoryStore) -> None:
    _write(world)
    older = _read(world).record
    _write(world, 2.0, at=20.0)
    newer = _read(world).record
    assert older is not None
    assert newer is not None
    cache = LastKnown(clock=Clock())
    cache.keep("a", newer)
    cache.keep("a", older)  # as a replica that lags behind answers
    assert cache.get("a") == newer


def test_an_erased_subject_is_nothing_in_every_tier_and_in_the_cache(world: MemoryStore) -> None:
    _write(world)
    before = _read(world).record
    merged = world.durable.erase("a", Access(1.0, "me", "erase", "c-1"))
    assert _value(_read(world)) == 1.0  # the note stands: until it is worked off the fast tier may not know
    world.fast.put(merged.records)
    assert _read(world) == Reading(tier="fast")
    assert before is not None
    world.fast.put({"a": before})  # a slow reader puts back what it read before
    assert _read(world) == Reading(tier="fast")
    world.fast.away = world.durable.away = True
    assert _read(world).record is None


def test_one_request_too_many_waits_whoever_decides() -> None:
    world = MemoryStore(plan=Plan(1.0, 2.0))
    _write(world)
    world.fast.away = True
    waits = [_read(world).wait for _ in range(5)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3] == pytest.approx(1.0)
    assert world.store.read("a", "another client", {}).wait == 0.0
    assert world.signals.counts["rate_limited"] == 2


def test_when_the_replica_answers_the_limiter_of_this_process_decides() -> None:
    world = MemoryStore(plan=Plan(1.0, 2.0))
    _write(world)
    world.fast.hedged, world.fast.routing = True, 7
    readings = [_read(world) for _ in range(4)]
    assert [reading.wait for reading in readings] == [0.0, 0.0, 0.0, pytest.approx(1.0)]
    assert [(reading.tier, reading.hedged, reading.routing) for reading in readings[:3]] == [("fast", True, 7)] * 3
    assert readings[3].record is None
    assert world.store.read("a", "another client", {}).wait == 0.0
    assert (world.signals.counts["hedge_won"], world.signals.counts["rate_limited"]) == (5, 1)


def test_the_cache_is_bounded() -> None:
    world, cache = MemoryStore(), LastKnown(entities=3, clock=Clock())
    for name in "abcd":
        _write(world, entity_id=name)
        record = world.durable.read(name)
        assert record is not None
        cache.keep(name, record)
    assert [cache.get(name) is not None for name in "abcd"] == [False, True, True, True]


def test_no_cache_outlives_a_minute() -> None:
    clock = Clock()
    world, cache = MemoryStore(), LastKnown(seconds=3_600.0, clock=clock)
    _write(world)
    record = world.durable.read("a")
    assert record is not None
    cache.keep("a", record)
    clock.now += 61
    assert cache.get("a") is None


def test_a_newer_record_in_the_cache_keeps_its_own_end() -> None:
    clock = Clock()
    cache = LastKnown(clock=clock)
    newer, older = FeatureRecord({"x": 2}, {"x": 2.0}, 2), FeatureRecord({"x": 1}, {"x": 1.0}, 1)
    cache.keep("a", newer)
    clock.now += 30
    cache.keep("a", older)
    assert cache.get("a") == newer
    clock.now += 31
    assert cache.get("a") is None
    cache.keep("a", older)
    assert cache.get("a") == older


def test_what_is_too_old_does_not_stay_in_memory() -> None:
    clock = Clock()
    cache = LastKnown(clock=clock)
    for number in range(50):
        cache.keep(f"old-{number}", FeatureRecord({"x": 1}, {"x": 1.0}, 1))
    clock.now += 61
    cache.keep("new", FeatureRecord({"x": 1}, {"x": 1.0}, 1))
    assert list(cache._records) == ["new"]
