"""Whatever order transactions end in, and whichever server is asked: a follower misses nothing and undoes nothing."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebb.errors import Unavailable
from ebb.ports import Access, FeatureRecord, FeatureUpdate, Position
from ebb.store.follow import follow
from tests.fakes.durable import MemoryDurable
from tests.fakes.fast import MemoryFast
from tests.fakes.feed import CHANGES, MemoryFeed
from tests.fakes.stores import Clock

ENTITIES = ("a", "b", "c")
BEHIND = 4
"""Events that one server of a region may lag behind another."""


def _for_ever() -> bool:
    return True


class Overlapping(RuleBasedStateMachine):
    """Transactions begin in one order and end in another; readers lag; a follower runs in between, in short slices.

    Rows are locked until their transaction ends, as in Postgres: so versions grow in the order of the ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.feed, self.fast = MemoryFeed(clock=Clock()), MemoryFast(clock=Clock())
        self.feed.record(followed=True)
        self.held: dict[str, FeatureRecord] = {}
        self.open: dict[int, list[str]] = {}
        self.position = Position(self.feed.generation, self.feed.since(0.0))
        self.versions: dict[str, int] = {}

    @rule(who=st.lists(st.sampled_from(ENTITIES), max_size=2, unique=True))
    def begins(self, who: list[str]) -> None:
        locked = {each for ids in self.open.values() for each in ids}
        self.open[self.feed.begin()] = [each for each in who if each not in locked]

    @precondition(lambda self: self.open)
    @rule(data=st.data(), commits=st.booleans(), erases=st.booleans())
    def ends(self, data: st.DataObject, commits: bool, erases: bool) -> None:
        transaction = data.draw(st.sampled_from(sorted(self.open)))
        who = self.open.pop(transaction)
        changes = [{each: self._next(each, erases=erases)} for each in who] if commits else []
        self.held |= {each: record for change in changes for each, record in change.items()}
        self.feed.end(transaction, *changes)

    @rule(lags=st.lists(st.integers(0, BEHIND), min_size=1, max_size=6), pages=st.integers(1, 3))
    def follows(self, lags: list[int], pages: int) -> None:
        """Each page is of another server, none further behind than `BEHIND`."""
        turn = iter(lags * 100)
        self.feed.seen = lambda events: max(0, events - next(turn))
        left = iter(range(pages - 1))
        done = follow(self.feed, self.fast, self.position, lambda: next(left, None) is not None)
        assert done.position is not None
        assert done.position.transaction >= self.position.transaction
        self.position = done.position

    @rule()
    def refuses(self) -> None:
        """A fast tier that goes away in the middle leaves the position where it was."""
        self.fast.away, before = True, self.position
        try:
            done = follow(self.feed, self.fast, self.position, _for_ever)
            assert done.records == 0
        except Unavailable:
            assert self.position == before
        self.fast.away = False

    @invariant()
    def nothing_is_undone(self) -> None:
        for who, record in self.fast.records.items():
            assert record.version >= self.versions.get(who, 0)
            assert record.version <= self.held[who].version
            self.versions[who] = record.version

    def teardown(self) -> None:
        """When everything has ended and come here, one run makes both agree."""
        for transaction in self.open:
            self.feed.end(transaction)
        self.feed.seen = lambda events: events
        done = follow(self.feed, self.fast, self.position, _for_ever)
        assert done.complete
        assert self.fast.records == self.held

    def _next(self, who: str, *, erases: bool) -> FeatureRecord:
        version = self.held[who].version + 1 if who in self.held else 1
        if erases:
            return FeatureRecord({}, {}, version, erased_at=1.0)
        return FeatureRecord({"x": float(version)}, {"x": 1.0}, version, "ab" * 16)


Overlapping.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestOverlapping = Overlapping.TestCase


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(clock: Clock) -> MemoryFeed:
    made = MemoryFeed(clock)
    made.record(followed=True)
    return made


@pytest.fixture
def durable(clock: Clock, feed: MemoryFeed) -> MemoryDurable:
    return MemoryDurable(clock, changed=feed.changed)


def _write(durable: MemoryDurable, who: str, at: float = 1.0) -> None:
    durable.merge([FeatureUpdate(who, {"x": at}, at)])


def _once() -> Callable[[], bool]:
    return lambda: False


def test_writes_and_erasures_arrive(durable: MemoryDurable, feed: MemoryFeed, clock: Clock) -> None:
    fast, start = MemoryFast(clock=clock), Position(feed.generation, 1)
    for who in ENTITIES:
        _write(durable, who)
    durable.erase("b", Access(1.0, "me", "erase", "c"))
    clock.now += 7
    done = follow(feed, fast, start, _for_ever)
    assert (done.records, done.complete, done.age) == (4, True, 7.0)
    assert fast.records == durable.records
    assert fast.records["b"].is_tombstone
    assert done.position == Position(feed.generation, 5)
    again = follow(feed, fast, done.position, _for_ever)
    assert (again.records, again.position, again.age) == (0, done.position, 7.0)


def test_what_ends_late_is_read_though_its_number_is_low(feed: MemoryFeed, clock: Clock) -> None:
    fast, start = MemoryFast(clock=clock), Position(feed.generation, 1)
    late = feed.begin()
    feed.changed({"a": FeatureRecord({"x": 1.0}, {"x": 1.0}, 1, "ab" * 16)})
    first = follow(feed, fast, start, _for_ever)
    assert set(fast.records) == {"a"}, "what is seen already does not wait for what is not"
    assert first.position == Position(feed.generation, late)
    feed.end(late, {"b": FeatureRecord({}, {}, 1, erased_at=1.0)})
    assert first.position is not None
    second = follow(feed, fast, first.position, _for_ever)
    assert set(fast.records) == {"a", "b"}
    assert second.position == Position(feed.generation, late + 2)


def test_a_slice_that_ends_above_what_is_still_open_comes_back_to_it(feed: MemoryFeed, clock: Clock) -> None:
    fast, start = MemoryFast(clock=clock), Position(feed.generation, 1)
    feed.changed({})
    late = feed.begin()
    for version in range(1, 5 * CHANGES):
        feed.changed({"a": FeatureRecord({"x": 1.0}, {"x": 1.0}, version, "ab" * 16)})
    left = iter(range(CHANGES))
    done = follow(feed, fast, start, lambda: next(left, None) is not None)
    assert (done.position, done.complete) == (Position(feed.generation, late), False)
    feed.end(late, {"b": FeatureRecord({}, {}, 1, erased_at=1.0)})
    assert done.position is not None
    assert follow(feed, fast, done.position, _for_ever).complete
    assert set(fast.records) == {"a", "b"}


def test_a_long_way_is_gone_in_slices(durable: MemoryDurable, feed: MemoryFeed, clock: Clock) -> None:
    fast, position, turns = MemoryFast(clock=clock), Position(feed.generation, 1), 0
    for number in range(5 * CHANGES):
        _write(durable, f"e-{number}")
    while True:
        done = follow(feed, fast, position, _once())
        assert done.position is not None
        assert done.position.transaction > position.transaction or done.complete
        position, turns = done.position, turns + 1
        if done.complete:
            break
    assert turns > 3
    assert fast.records == durable.records


@pytest.mark.parametrize("what", ["pruned", "recorded anew", "not recorded"])
def test_a_feed_that_no_longer_has_everything_is_told(
    durable: MemoryDurable, feed: MemoryFeed, clock: Clock, what: str
) -> None:
    fast, start = MemoryFast(clock=clock), Position(feed.generation, 1)
    _write(durable, "a")
    clock.now += 100
    if what == "pruned":
        assert feed.prune(50.0) == 1
    else:
        feed.record(followed=False)
        if what == "recorded anew":
            feed.record(followed=True)
    done = follow(feed, fast, start, _for_ever)
    assert (done.position, done.records) == (None, 0)


def test_a_lost_tier_is_told(durable: MemoryDurable, feed: MemoryFeed, clock: Clock) -> None:
    fast, start = MemoryFast(clock=clock), Position(feed.generation, 1)
    _write(durable, "a")
    fast.away = True
    with pytest.raises(Unavailable):
        follow(feed, fast, start, _for_ever)
    fast.away, feed.away = False, True
    with pytest.raises(Unavailable):
        follow(feed, fast, start, _for_ever)
