"""What the fast tier missed is told later: notes, hot entities, and a tier that came back empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Unavailable
from ebb.ports import Access, FeatureUpdate
from ebb.store.refill import Refilled, refill
from ebb.store.repair import Drained, drain, refresh
from ebb.store.runs import RUN, runs
from tests.fakes.durable import MemoryDurable
from tests.fakes.fast import MemoryFast

ACCESS = Access(1.0, "acme", "erase", "c-1")


class Clock:
    """Epoch seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def durable(clock: Clock) -> MemoryDurable:
    return MemoryDurable(clock)


@pytest.fixture
def fast() -> MemoryFast:
    return MemoryFast()


def _write(durable: MemoryDurable, *entity_ids: str, value: float = 1.0, at: float = 10.0) -> None:
    durable.merge([FeatureUpdate(entity_id, {"x": value}, at) for entity_id in entity_ids])


def test_a_note_is_worked_off_when_it_is_old_enough(clock: Clock, durable: MemoryDurable, fast: MemoryFast) -> None:
    _write(durable, "a", "b")
    assert drain(durable, fast, 2.0, 10) == Drained()
    clock.now += 3
    assert drain(durable, fast, 2.0, 10) == Drained(notes=1, records=2)
    assert fast.held(["a", "b"]) == durable.records
    assert durable.notes == {}


def test_a_note_stays_while_the_fast_tier_is_away(clock: Clock, durable: MemoryDurable, fast: MemoryFast) -> None:
    _write(durable, "a")
    clock.now += 3
    fast.away = True
    done = drain(durable, fast, 2.0, 10)
    assert (done.notes, done.records) == (0, 0)
    assert done.away
    assert len(durable.notes) == 1
    fast.away = False
    assert drain(durable, fast, 2.0, 10).notes == 1
    assert set(fast.held(["a"])) == {"a"}


def test_the_oldest_come_first_and_no_more_than_asked(clock: Clock, durable: MemoryDurable, fast: MemoryFast) -> None:
    for entity_id in ("a", "b", "c"):
        _write(durable, entity_id)
        clock.now += 1
    clock.now += 3
    assert drain(durable, fast, 2.0, 2).notes == 2
    assert set(fast.held(["a", "b", "c"])) == {"a", "b"}


def test_a_note_tells_what_is_held_now_and_not_what_it_was_left_for(
    clock: Clock, durable: MemoryDurable, fast: MemoryFast
) -> None:
    _write(durable, "a", value=1.0)
    durable.erase("a", ACCESS)
    clock.now += 3
    drain(durable, fast, 2.0, 1)
    assert fast.held(["a"])["a"].is_tombstone


def test_a_repair_never_goes_back_to_an_older_version(clock: Clock, durable: MemoryDurable, fast: MemoryFast) -> None:
    _write(durable, "a", value=1.0)
    old = dict(durable.records)
    _write(durable, "a", value=2.0, at=20.0)
    fast.put(durable.records)
    fast.put(old)
    clock.now += 3
    drain(durable, fast, 2.0, 10)
    assert fast.held(["a"])["a"].values == {"x": 2.0}


def test_a_lost_durable_tier_is_told(durable: MemoryDurable, fast: MemoryFast) -> None:
    durable.away = True
    with pytest.raises(Unavailable):
        drain(durable, fast, 2.0, 10)
    with pytest.raises(Unavailable):
        refill(durable, fast, "", lambda: True)


def test_hot_entities_are_put_anew_and_unknown_ones_are_nothing(durable: MemoryDurable, fast: MemoryFast) -> None:
    _write(durable, "a", "b")
    assert refresh(durable, fast, ["a", "nobody"]) == 1
    assert set(fast.held(["a", "b", "nobody"])) == {"a"}


def _many(durable: MemoryDurable, count: int) -> list[str]:
    entity_ids = [f"e-{number:05d}" for number in range(count)]
    _write(durable, *entity_ids)
    return entity_ids


def test_an_empty_tier_is_refilled_without_tombstones(durable: MemoryDurable, fast: MemoryFast) -> None:
    entity_ids = _many(durable, RUN + 5)
    durable.erase(entity_ids[3], ACCESS)
    assert refill(durable, fast, "", lambda: True) == Refilled(RUN + 4, "")
    assert set(fast.held(entity_ids)) == {*entity_ids} - {entity_ids[3]}


def test_a_refill_gives_way_and_goes_on_where_it_stopped(durable: MemoryDurable, fast: MemoryFast) -> None:
    entity_ids = _many(durable, 2 * RUN + 5)
    told, after, rounds = 0, "", 0
    while rounds == 0 or after:
        done = refill(durable, fast, after, lambda: False)
        told, after, rounds = told + done.records, done.after, rounds + 1
        assert not done.stopped
    assert (told, rounds) == (len(entity_ids), 3)
    assert set(fast.held(entity_ids)) == set(entity_ids)


def test_a_refill_stops_where_the_fast_tier_takes_no_more(durable: MemoryDurable, fast: MemoryFast) -> None:
    _many(durable, 3)
    fast.away = True
    done = refill(durable, fast, "e-00000", lambda: True)
    assert (done.records, done.after) == (0, "e-00000")
    assert done.stopped


@given(st.lists(st.text("ab", max_size=3), max_size=3 * RUN))
def test_runs_are_bounded_and_lose_nobody(entity_ids: list[str]) -> None:
    found = list(runs(entity_ids))
    assert all(0 < len(run) <= RUN and len(set(run)) == len(run) for run in found)
    assert {entity_id for run in found for entity_id in run} == set(entity_ids)
