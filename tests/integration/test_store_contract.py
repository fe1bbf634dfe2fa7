"""One contract suite for the tiers together: a store on fakes and a store on real servers keep the same promises."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.connect import connect_store, make_plans
from ebb.errors import Unavailable
from ebb.metrics import Silent
from ebb.ports import Access, DurableTier, FastTier, FeatureRecord, FeatureUpdate, RepairTier, SubjectTier
from ebb.postgres.subjects import PostgresSubjects
from ebb.store.reading import Reading
from ebb.store.store import FeatureStore
from ebb.valkey.features import ValkeyFeatures
from tests.fakes.stores import Clock, MemoryStore
from tests.real_stores import RealStores


@dataclass(frozen=True)
class Together:
    """Two stores on the same tiers, and the tiers themselves."""

    one: FeatureStore
    other: FeatureStore
    fast: FastTier
    subjects: SubjectTier
    notes: RepairTier
    durable: DurableTier

    def read(self, entity_id: str) -> Reading:
        return self.one.read(entity_id, "me", {})

    def record(self, entity_id: str) -> FeatureRecord:
        record = self.read(entity_id).record
        assert record is not None
        return record


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    servers = RealStores(tmp_path_factory.mktemp("stores"))
    # With patience: what a busy machine costs must not look like a lost server.
    fast, other = (
        ValkeyFeatures("127.0.0.1", servers.valkey.port, timeout=5.0, plans=make_plans(servers.settings)) for _ in "ab"
    )
    try:
        subjects = PostgresSubjects(servers.connection())
        stores = [connect_store(servers.settings, Silent(), each, servers.connection()) for each in (fast, other)]
        yield Together(stores[0], stores[1], fast, subjects, servers.durable(), servers.durable())
    finally:
        fast.close()
        other.close()
        servers.end()


@pytest.fixture(params=["memory", "real"])
def tiers(request: pytest.FixtureRequest) -> Together:
    if request.param == "real":
        found: Together = request.getfixturevalue("real")
        return found
    world = MemoryStore(Clock(time.time()))
    return Together(world.store, world.another(), world.fast, world.durable, world.durable, world.durable)


def _id() -> str:
    return f"e-{uuid4().hex}"


def test_nobody_is_nothing_and_no_trouble(tiers: Together) -> None:
    assert tiers.read(_id()) == Reading()


def test_what_one_process_writes_another_reads_from_the_fast_tier(tiers: Together) -> None:
    who = _id()
    tiers.other.write([FeatureUpdate(who, {"a": 1.25, "b": "é中", "c": None}, 100.0)])
    reading = tiers.read(who)
    assert reading.tier == "fast"
    assert reading.record is not None
    assert reading.record.values == {"a": 1.25, "b": "é中", "c": None}
    assert set(reading.record.event_times.values()) == {100.0}
    assert len(reading.record.salt) == 32


def test_a_late_write_changes_no_newer_value_in_any_tier(tiers: Together) -> None:
    who = _id()
    tiers.one.write([FeatureUpdate(who, {"a": 1, "b": 1}, 200.0)])
    tiers.one.write([FeatureUpdate(who, {"a": 2, "c": 2}, 100.0)])
    record = tiers.record(who)
    assert record.values == {"a": 1, "b": 1, "c": 2}
    assert record == tiers.subjects.read(who)


def test_the_same_write_twice_changes_no_value_and_no_salt(tiers: Together) -> None:
    who = _id()
    tiers.one.write([FeatureUpdate(who, {"a": 1}, 100.0)])
    first = tiers.record(who)
    tiers.one.write([FeatureUpdate(who, {"a": 1}, 100.0)])
    again = tiers.record(who)
    assert (again.values, again.event_times, again.salt) == (first.values, first.event_times, first.salt)


def test_a_write_leaves_no_note_once_both_tiers_hold_it(tiers: Together) -> None:
    tiers.one.write([FeatureUpdate(_id(), {"a": 1}, 100.0)])
    assert tiers.notes.unsettled(-1.0, 100) == []


def test_a_failed_write_is_seen_nowhere(real: Together) -> None:
    """Postgres refuses a NUL, with the whole write; the fake would take any text."""
    who = _id()
    with pytest.raises(Unavailable):
        real.one.write([FeatureUpdate(who, {"a": 1}, 1.0), FeatureUpdate(_id(), {"a": "\0"}, 1.0)])
    assert real.read(who) == Reading()
    assert real.subjects.history(who) == []


def test_an_erased_subject_is_gone_from_every_tier_and_only_newer_values_bring_it_back(tiers: Together) -> None:
    who, now = _id(), time.time()
    tiers.one.write([FeatureUpdate(who, {"a": 1}, now - 10)])
    before = tiers.record(who)
    merged = tiers.subjects.erase(who, Access(now, "me", "erase", "c-1"))
    tiers.fast.put(merged.records)
    tiers.fast.put({who: before})
    tiers.other.write([FeatureUpdate(who, {"a": 2}, now - 5)])
    assert tiers.read(who).record is None
    assert tiers.subjects.history(who) == []
    tiers.other.write([FeatureUpdate(who, {"b": 3}, time.time() + 60)])
    after = tiers.record(who)
    assert after.values == {"b": 3}
    assert after.salt not in {"", before.salt}


def test_what_was_known_then_is_still_known(tiers: Together) -> None:
    who, now = _id(), time.time()
    for day in range(5):
        tiers.one.write([FeatureUpdate(who, {"a": day, "b": day}, now - 86_400 * (10 - day))])
    known = tiers.subjects.known_at(who, now - 86_400 * 7.5, time.time() + 1)
    assert known is not None
    assert known.values == {"a": 2, "b": 2}


steps = st.lists(
    st.tuples(st.sampled_from("ab"), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), min_size=1)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_any_writes_leave_what_the_fakes_are_left_with(
    real: Together, writes: list[tuple[str, dict[str, int]]], times: list[int]
) -> None:
    fakes, names = MemoryStore(), {letter: _id() for letter in "ab"}
    for (letter, values), event_time in zip(writes, times, strict=False):
        for store in (fakes.store, real.one):
            store.write([FeatureUpdate(names[letter], dict(values), float(event_time))])
    for letter in {letter for letter, _ in writes}:
        expected, found = fakes.store.read(names[letter], "me", {}).record, real.record(names[letter])
        assert expected is not None
        assert (found.values, found.event_times) == (expected.values, expected.event_times)
        assert found == real.subjects.read(names[letter])


KINDS = ("held", "forgotten", "expired", "erased", "unknown")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9)), min_size=1, max_size=12))
def test_many_at_once_are_what_each_is_alone(tiers: Together, crowd: list[tuple[str, int]]) -> None:
    """The same for two lots of entities: one is read one by one, the other at once."""
    lots: list[list[str]] = [[_id() for _ in crowd] for _ in range(2)]
    for (kind, value), *names in zip(crowd, *lots, strict=True):
        for who in names:
            if kind == "unknown":
                continue
            update = FeatureUpdate(who, {"a": value, "b": "x"}, 100.0)
            if kind == "forgotten":
                tiers.durable.merge([update])
                continue
            tiers.one.write([update])
            if kind == "erased":
                tiers.fast.put(tiers.subjects.erase(who, Access(time.time(), "me", "erase", "c-1")).records)
    ttls = {"a": 1e-9} if any(kind == "expired" for kind, _ in crowd) else {}
    time.sleep(0.003)  # a record's life is counted in milliseconds: nothing is expired within the first
    alone = [tiers.one.read(who, "me", ttls) for who in lots[0]]
    together = tiers.one.read_many(lots[1], "me", ttls)
    assert [_told(reading) for reading in together] == [_told(reading) for reading in alone]
    assert [_told(reading) for reading in tiers.other.read_many(lots[0], "me", {})] == [
        _told(reading) for reading in tiers.other.read_many(lots[1], "me", {})
    ]


def _told(reading: Reading) -> tuple[object, ...]:
    values = None if reading.record is None else (dict(reading.record.values), dict(reading.record.event_times))
    return values, reading.tier, reading.trouble, reading.expired, reading.hedged


def test_a_thousand_that_the_fast_tier_forgot_are_one_query(real: Together) -> None:
    crowd, features = [_id() for _ in range(1_000)], {f"feature_{number}": 0.1 * number for number in range(20)}
    real.durable.merge([FeatureUpdate(who, features, 100.0) for who in crowd])
    first, again = real.one.read_many(crowd, "me", {}), real.other.read_many(crowd, "me", {})
    assert {reading.tier for reading in first} == {"durable"}
    assert {reading.tier for reading in again} == {"fast"}
    assert [reading.record for reading in first] == [reading.record for reading in again]


def test_reads_and_writes_of_one_client_are_one_allowance(tiers: Together) -> None:
    name = _id()
    allowances = [
        tiers.one.read("x", name, {}).allowance,
        tiers.other.read_many(["x"] * 10, name, {})[0].allowance,
        tiers.one.admit(name, 100),
    ]
    assert {allowance.wait for allowance in allowances} == {0.0}
    assert min(allowance.remaining for allowance in allowances) > 100_000
