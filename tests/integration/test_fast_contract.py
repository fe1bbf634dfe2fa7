"""One contract suite for the fast tier: the in-memory fake and Valkey keep the same promises."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.contract.model import Value
from ebb.plans import Plan, Plans
from ebb.ports import FastTier, FeatureRecord
from ebb.record_json import record_to_json
from ebb.valkey.features import ValkeyFeatures
from tests.fakes.fast import MemoryFast
from tests.valkey_case import wait_of


class Fast(FastTier, Protocol):
    """The port, and what looks after the tier."""

    def put_json(self, records: Iterable[tuple[str, int, bytes]]) -> None: ...
    def hot(self, limit: int) -> list[str]: ...
    def held(self, entity_ids: Sequence[str]) -> Mapping[str, FeatureRecord]: ...
    def scan(self, batch: int) -> Iterator[list[str]]: ...


Make = Callable[[Plan | None], Fast]
SALT = "0123456789abcdef" * 2


@pytest.fixture(params=["memory", "valkey"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make tiers with a limit of their own; those in Valkey all hold the same."""
    if request.param == "memory":
        yield lambda plan: MemoryFast(plans=Plans(plan) if plan else None, clock=time.time)
        return
    port = request.getfixturevalue("valkey_server").port
    with ExitStack() as stack:

        def valkey(plan: Plan | None) -> ValkeyFeatures:
            made = ValkeyFeatures("127.0.0.1", port, timeout=2.0, plans=Plans(plan) if plan else None)
            stack.callback(made.close)
            return made

        yield valkey


@pytest.fixture
def fast(make: Make) -> Fast:
    return make(None)


def _id() -> str:
    return f"e-{uuid4().hex}"


def _record(version: int, **values: Value) -> FeatureRecord:
    return FeatureRecord(values, dict.fromkeys(values, 1.5e9), version, SALT)


def _held(fast: FastTier, who: str) -> FeatureRecord | None:
    return fast.ask(who, "anyone").record


def test_nobody_is_none(fast: Fast) -> None:
    answer = fast.ask(_id(), "c")
    assert (answer.record, answer.since_put, wait_of(answer), answer.routing, answer.hedged) == (None, 0, 0, 0, False)


def test_what_was_put_is_answered(fast: Fast) -> None:
    who, times = _id(), {"a": 1e9, "b": 2e9, "c": 1e9, "d": 1.5}
    record = FeatureRecord({"a": 1.25, "b": "é中", "c": None, "d": True}, times, 7, SALT)
    fast.put({who: record})
    answer = fast.ask(who, "c")
    assert answer.record == record
    assert 0 <= answer.since_put < 60


def test_many_are_put_in_one_call(fast: Fast) -> None:
    records = {_id(): _record(number, a=number) for number in range(1, 500)}
    fast.put(records)
    assert fast.held([*records, _id()]) == records
    fast.put({})
    assert fast.held([]) == {}


def test_a_lower_version_never_replaces_a_higher_one_and_an_equal_one_changes_nothing(fast: Fast) -> None:
    who = _id()
    fast.put({who: _record(5, a=5.0)})
    fast.put({who: _record(4, a=4.0)})
    fast.put({who: _record(5, a=5.5)})
    assert _held(fast, who) == _record(5, a=5.0)
    fast.put({who: _record(10, a=10.0)})
    assert _held(fast, who) == _record(10, a=10.0)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 2**53), min_size=1, max_size=5), min_size=1, max_size=5))
def test_in_whatever_order_they_come_the_highest_version_stands(fast: Fast, calls: list[list[int]]) -> None:
    who = _id()
    for call in calls:
        fast.put_json((who, version, record_to_json(_record(version, a=version))) for version in call)
    highest = max(version for call in calls for version in call)
    assert _held(fast, who) == _record(highest, a=highest)


@pytest.mark.parametrize("who", ["a\\b", 'quote"', "tab-free space", "é中\u2028", "%s:{}", "x" * 256, "hot", "*"])
def test_any_entity_id(fast: Fast, who: str) -> None:
    fast.put({who: _record(1, a=1.0)})
    for _ in range(8):
        assert _held(fast, who) == _record(1, a=1.0)
    assert who in fast.hot(2_000)
    fast.put({who: FeatureRecord({}, {}, 2, "", 1.6e9)})
    assert who not in fast.hot(2_000)


def test_a_tombstone_is_answered_and_stops_what_comes_late(fast: Fast) -> None:
    who = _id()
    fast.put({who: _record(1, a=1.0)})
    fast.put({who: FeatureRecord({}, {}, 2, "", 1.6e9)})
    fast.put({who: _record(1, a=1.0)})
    answer = fast.ask(who, "c").record
    assert answer is not None
    assert answer.is_tombstone
    assert (answer.erased_at, answer.salt, answer.version) == (1.6e9, "", 2)


def test_an_erased_subject_that_comes_back_keeps_its_floor(fast: Fast) -> None:
    who, back = _id(), FeatureRecord({"a": 2.0}, {"a": 1.7e9}, 3, "f" * 32, 1.6e9)
    fast.put({who: FeatureRecord({}, {}, 2, "", 1.6e9)})
    fast.put({who: back})
    assert _held(fast, who) == back


def test_json_is_held_as_records_are(fast: Fast) -> None:
    ada, bea = _id(), _id()
    fast.put_json(iter([(ada, 3, record_to_json(_record(3, a=1.0))), (bea, 4, record_to_json(_record(4, a=2.0)))]))
    assert fast.held([ada, bea]) == {ada: _record(3, a=1.0), bea: _record(4, a=2.0)}


def test_every_entity_is_seen_by_a_scan(fast: Fast) -> None:
    mine = {_id(): _record(1, a=1.0) for _ in range(250)}
    fast.put(mine)
    batches = list(fast.scan(20))
    assert mine.keys() <= {entity_id for batch in batches for entity_id in batch}
    assert all(batches)
    assert len(batches) > 1


def test_each_client_has_its_own_limit(make: Make) -> None:
    fast, greedy, who = make(Plan(rate=0.01, burst=3)), _id(), _id()
    assert [wait_of(fast.ask(who, greedy)) for _ in range(4)] == [0.0] * 4
    assert 90 < wait_of(fast.ask(who, greedy)) <= 100
    assert wait_of(fast.ask(who, _id())) == 0.0


def test_without_a_limit_nobody_waits(fast: Fast) -> None:
    who = _id()
    assert {wait_of(fast.ask(who, "c")) for _ in range(300)} == {0.0}


def test_a_refused_request_is_answered_with_its_wait_and_heats_nobody(make: Make) -> None:
    fast, who = make(Plan(rate=0.001, burst=0)), _id()
    fast.put({who: _record(1, a=1.0)})
    assert wait_of(fast.ask(who, greedy := _id())) == 0.0
    for _ in range(20):
        assert wait_of(fast.ask(who, greedy))
    assert who not in fast.hot(2_000)


def test_who_is_read_often_is_hot_the_hottest_first(fast: Fast) -> None:
    warm, hot, hotter = _id(), _id(), _id()
    fast.put({who: _record(1, a=1.0) for who in (warm, hot, hotter)})
    for who, reads in ((warm, 3), (hot, 8), (hotter, 30)):
        for _ in range(reads):
            fast.ask(who, "c")
    mine = [who for who in fast.hot(2_000) if who in {warm, hot, hotter}]
    assert mine == [hotter, hot]
    assert len(fast.hot(1)) == 1


def test_nobody_is_hot_who_is_not_held_or_was_erased(fast: Fast) -> None:
    unknown, erased = _id(), _id()
    fast.put({erased: FeatureRecord({}, {}, 2, "", 1.6e9)})
    for who in (unknown, erased):
        for _ in range(20):
            fast.ask(who, "c")
    assert not {unknown, erased} & set(fast.hot(2_000))


def test_no_more_than_1024_are_counted_and_who_is_read_always_stays(fast: Fast) -> None:
    crowd, favourite = [_id() for _ in range(1_200)], _id()
    fast.put({who: _record(1, a=1.0) for who in (*crowd, favourite)})
    for turn, who in enumerate(crowd):
        fast.ask(who, "c")
        if turn % 50 == 0:
            fast.ask(favourite, "c")
    assert favourite in fast.hot(2_000)
    for who in crowd:
        for _ in range(6):
            fast.ask(who, "c")
    assert len(fast.hot(5_000)) <= 1_024
