"""Reading many entities at once says of each what reading it alone would; limits meet batches and writes too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.plans import Plan
from ebb.ports import Access, FeatureUpdate
from ebb.store.reading import Reading
from ebb.store.store import AWAY, BUSY
from tests.fakes.stores import MemoryStore

PEOPLE = "abcdef"
TTLS = {"x": 50.0, "y": 500.0}


@dataclass(frozen=True)
class Act:
    """Something that happens to a world before it is read."""

    name: str
    do: Callable[[MemoryStore], object]


def _write(who: str, value: int, at: float) -> Act:
    update = FeatureUpdate(who, {"x": value, "y": value}, at)
    return Act(f"write {who}", lambda world: world.store.write([update]))


def _durable_only(who: str, value: int, at: float) -> Act:
    update = FeatureUpdate(who, {"x": value}, at)
    return Act(f"merge {who}", lambda world: world.durable.merge([update]))


def _forget(who: str) -> Act:
    return Act(f"forget {who}", lambda world: world.fast.expire(who))


def _erase(who: str) -> Act:
    def erase(world: MemoryStore) -> None:
        merged = world.durable.erase(who, Access(1.0, "me", "erase", "c-1"))
        if not world.fast.away:
            world.fast.put(merged.records)

    return Act(f"erase {who}", erase)


def _read(who: str) -> Act:
    return Act(f"read {who}", lambda world: world.store.read(who, "me", TTLS))


def _pass(seconds: int) -> Act:
    def later(world: MemoryStore) -> None:
        world.clock.now += seconds

    return Act(f"wait {seconds}", later)


def _state(name: str, *, on: bool) -> Act:
    def switch(world: MemoryStore) -> None:
        if name == "hedged":
            world.fast.hedged = on
        else:
            (world.fast if name == "fast" else world.durable).away = on

    return Act(f"{name} {on}", switch)


people = st.sampled_from(PEOPLE)
states = st.builds(_state, st.sampled_from(["fast", "durable", "hedged"]), on=st.booleans())
acts = st.one_of(
    st.builds(_write, people, st.integers(0, 9), st.floats(1, 100)),
    st.builds(_durable_only, people, st.integers(0, 9), st.floats(1, 100)),
    st.builds(_forget, people),
    st.builds(_erase, people),
    st.builds(_read, people),
    st.builds(_pass, st.sampled_from([1, 40, 70])),
    states,
)


def _world(history: Sequence[Act]) -> MemoryStore:
    world = MemoryStore()
    for act in history:
        if act.name.startswith("write") and (world.durable.away or world.fast.away):
            continue
        if world.durable.away and act.name.startswith(("merge", "erase")):
            continue
        act.do(world)
    return world


def _told(reading: Reading) -> tuple[object, ...]:
    record = reading.record
    values = None if record is None else (dict(record.values), dict(record.event_times), record.version)
    return values, reading.tier, reading.trouble, reading.expired, reading.routing, reading.hedged


@given(st.lists(acts, max_size=25), st.lists(people, unique=True, min_size=1), st.sampled_from([{}, TTLS]))
def test_many_at_once_are_what_each_would_be_alone(history: list[Act], who: list[str], ttls: dict[str, float]) -> None:
    alone, together = _world(history), _world(history)
    expected = [alone.store.read(entity_id, "me", ttls) for entity_id in who]
    found = together.store.read_many(who, "me", ttls)
    assert [_told(reading) for reading in found] == [_told(reading) for reading in expected]
    for world in (alone, together):  # and what is left behind is the same: in the tiers, and in the cache
        world.fast.away, world.fast.hedged = False, False
    assert together.fast.held(PEOPLE).keys() == alone.fast.held(PEOPLE).keys()
    for world in (alone, together):
        world.fast.away = world.durable.away = True
    left = [_told(world.store.read(entity_id, "me", {})) for world in (alone, together) for entity_id in PEOPLE]
    assert left[: len(PEOPLE)] == left[len(PEOPLE) :]


@pytest.fixture
def world() -> MemoryStore:
    return MemoryStore()


def test_nobody_is_no_question(world: MemoryStore) -> None:
    assert world.store.read_many([], "me", {}) == []
    assert world.fast.asked == 0


def test_one_question_to_the_fast_tier_and_one_query_to_the_durable_one(world: MemoryStore) -> None:
    world.store.write([FeatureUpdate("a", {"x": 1}, 1.0)])
    world.durable.merge([FeatureUpdate(who, {"x": 2}, 1.0) for who in "bcd"])
    puts = world.fast.puts
    first = world.store.read_many("abcde", "me", {})
    assert [reading.tier for reading in first] == ["fast", "durable", "durable", "durable", "none"]
    assert (world.fast.asked, world.fast.puts - puts, world.durable.reads) == (1, 1, 0)
    again = world.store.read_many("abcde", "me", {})
    assert [reading.tier for reading in again] == ["fast"] * 4 + ["none"]
    assert world.signals.counts == {"read_fast": 5, "read_durable": 3, "read_none": 2}


def test_one_that_stands_twice_is_answered_twice(world: MemoryStore) -> None:
    world.durable.merge([FeatureUpdate("a", {"x": 2}, 1.0)])
    readings = world.store.read_many(["a", "nobody", "a"], "me", {})
    assert readings[0].record == readings[2].record is not None
    assert readings[1].record is None


def test_a_batch_takes_one_token_of_the_budget() -> None:
    world = MemoryStore(reads_per_second=2)
    crowd = [f"e{number}" for number in range(500)]
    world.durable.merge([FeatureUpdate(who, {"x": 1}, 1.0) for who in crowd])
    world.fast.away = True
    assert {reading.tier for reading in world.store.read_many(crowd[:200], "me", {})} == {"durable"}
    assert {reading.tier for reading in world.store.read_many(crowd[200:400], "me", {})} == {"durable"}
    denied = world.store.read_many(crowd[300:], "me", {})
    assert [reading.tier for reading in denied] == ["cache"] * 100 + ["none"] * 100
    assert {reading.trouble for reading in denied[100:]} == {BUSY}
    assert world.signals.counts["durable_denied"] == 1


def test_with_both_tiers_away_nobody_unknown_is_hidden(world: MemoryStore) -> None:
    world.store.write([FeatureUpdate("a", {"x": 1}, 1.0)])
    world.store.read("a", "me", {})
    world.fast.away = world.durable.away = True
    known, unknown = world.store.read_many(["a", "b"], "me", {})
    assert (known.tier, known.trouble, unknown.tier, unknown.trouble) == ("cache", "", "none", AWAY)


def test_a_batch_counts_for_all_and_is_refused_as_a_whole() -> None:
    world = MemoryStore(plan=Plan(1.0, 4.0))
    world.store.write([FeatureUpdate("a", {"x": 1}, 1.0)])
    world.fast.away = True
    assert {reading.wait for reading in world.store.read_many(["a"] * 10, "me", {})} == {0.0}
    refused = world.store.read_many(["a", "b"], "me", {})
    assert [(reading.wait, reading.record, reading.tier) for reading in refused] == [(6.0, None, "none")] * 2
    assert world.store.read("a", "me", {}).wait == 6.0
    assert world.store.read_many(["a", "b"], "another", {})[0].wait == 0.0
    assert world.signals.counts["rate_limited"] == 2


def test_a_write_is_counted_whoever_decides() -> None:
    world = MemoryStore(plan=Plan(1.0, 4.0, daily=100))
    assert world.store.admit("me", 5).wait == 0.0  # the fake has no limit of its own
    world.fast.away = True
    assert world.store.admit("me", 7).remaining == 0
    refused = world.store.admit("me", 1)
    assert refused.wait == pytest.approx(3.0)
    assert (refused.refused, refused.quota_left) == ("rate", None)
    assert world.signals.counts == {"quota_unknown": 7, "rate_limited": 1}
    error = world.store.refusal("me", refused)
    assert error.wait == refused.wait
    assert (error.limit, error.burst, error.daily) == ("rate", 4.0, 100)


def test_the_allowance_travels_with_every_reading() -> None:
    world = MemoryStore(plan=Plan(1.0, 4.0))
    world.fast.hedged = True
    readings = world.store.read_many(["a", "b"], "me", {})
    assert [reading.allowance.remaining for reading in readings] == [3, 3]
    assert world.store.read("a", "me", {}).allowance.remaining == 2
    assert world.signals.counts["hedge_won"] == 2
