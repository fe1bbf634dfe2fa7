"""An erasure reaches every process: 60 s after the fast tier could be told, nobody answers with what was erased."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ebb.errors import Unavailable
from ebb.ports import Access, FeatureUpdate
from ebb.store.reading import CACHE, FAST
from ebb.store.refill import refill
from ebb.store.repair import drain
from ebb.store.subjects import CACHE_SECONDS, Subjects
from tests.fakes.stores import MemoryStore

WHO = "subject"


def _access(world: MemoryStore) -> Access:
    return Access(world.clock.now, "acme", "erase", "c")


def test_a_process_that_reaches_a_tier_forgets_at_once() -> None:
    world = MemoryStore()
    other = world.another()
    other.write([FeatureUpdate(WHO, {"x": 1}, world.clock.now)])
    assert world.store.read(WHO, "me", {}).tier == FAST
    Subjects(world.durable, world.fast).erase(WHO, _access(world))
    assert world.store.read(WHO, "me", {}).record is None
    world.fast.away = world.durable.away = True
    assert world.store.read(WHO, "me", {}).record is None


@given(st.floats(0, 200))
def test_a_process_that_reaches_none_forgets_in_time(later: float) -> None:
    world = MemoryStore()
    world.store.write([FeatureUpdate(WHO, {"x": 1}, world.clock.now)])
    assert world.store.read(WHO, "me", {}).record is not None
    Subjects(world.durable, world.fast).erase(WHO, _access(world))
    world.fast.away = world.durable.away = True
    world.clock.now += later
    reading = world.store.read(WHO, "me", {})
    assert (reading.tier == CACHE) == (later < CACHE_SECONDS)
    assert (reading.record is not None) == (later < CACHE_SECONDS)


class Erasure(RuleBasedStateMachine):
    """Two processes, two tiers that come and go, a slow reader, and a subject who is erased now and then.

    Every value is the moment of its write, so that each tells whether it is from before the erasure.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = MemoryStore()
        self.processes = [self.world.store, self.world.another()]
        self.subjects = Subjects(self.world.durable, self.world.fast)
        self.erased_at = self.told_at = 0.0
        self.slow = dict(self.world.durable.records)

    @rule(seconds=st.floats(0.001, 40))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.now += seconds

    @rule(process=st.integers(0, 1), ago=st.floats(0, 100))
    def somebody_writes(self, process: int, ago: float) -> None:
        at = self.world.clock.now - ago
        try:
            self.processes[process].write([FeatureUpdate(WHO, {"x": at}, at)])
        except Unavailable:
            assert self.world.durable.away

    @rule()
    def the_subject_is_erased(self) -> None:
        try:
            self.subjects.erase(WHO, _access(self.world))
        except Unavailable:
            assert self.world.durable.away
        else:
            self.erased_at = self.world.clock.now

    @rule(fast=st.booleans(), durable=st.booleans())
    def servers_come_and_go(self, *, fast: bool, durable: bool) -> None:
        self.world.fast.away, self.world.durable.away = fast, durable

    @rule()
    def a_slow_reader_reads(self) -> None:
        self.slow = dict(self.world.durable.records)

    @rule()
    def the_slow_reader_puts_back_what_it_read(self) -> None:
        if not self.world.fast.away:
            self.world.fast.put(self.slow)

    @rule()
    def the_maintenance_repairs(self) -> None:
        if not self.world.durable.away:
            drain(self.world.durable, self.world.fast, 2.0, 10)

    @rule()
    def valkey_comes_back_empty_and_is_refilled(self) -> None:
        if self.world.durable.away or self.world.fast.away or self._is_behind():
            return
        self.slow = {}  # a reader takes milliseconds, and a server's return longer
        self.world.fast.expire(WHO)
        refill(self.world.durable, self.world.fast, "", lambda: True)

    @invariant()
    def the_durable_tier_holds_nothing_from_before(self) -> None:
        held = self.world.durable.records.get(WHO)
        assert held is None or all(time > self.erased_at for time in held.event_times.values())
        assert all(row.event_time > self.erased_at for row in self.world.durable.writes.get(WHO, []))

    @invariant()
    def no_process_answers_with_it_once_it_can_know(self) -> None:
        for process in self.processes:
            reading = process.read(WHO, "me", {})
            if reading.record is None or reading.record.event_times.get("x", 0.0) > self.erased_at:
                continue
            # Only a fast tier that could not be told yet, and what a process remembers of it, still say it.
            if reading.tier == FAST:
                assert self._is_behind()
                self.told_at = self.world.clock.now
            assert reading.tier in {FAST, CACHE}
            assert self.world.clock.now - max(self.erased_at, self.told_at) < CACHE_SECONDS

    def _is_behind(self) -> bool:
        """Say whether a note is left that the maintenance has not worked off."""
        return any(WHO in note.repair.entity_ids for note in self.world.durable.notes.values())


TestErasure = Erasure.TestCase
TestErasure.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
