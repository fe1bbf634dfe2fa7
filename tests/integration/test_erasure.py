"""An erasure on real servers: nothing of the subject is left in either tier, and nothing from before comes back."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import redis

from ebb.connect import CALM, connect_fast, connect_postgres
from ebb.event_time import AHEAD_SECONDS
from ebb.metrics import Silent
from ebb.ports import Access, FeatureRecord, FeatureUpdate
from ebb.postgres.count import count_subjects
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.subjects import PostgresSubjects
from ebb.store.refill import refill
from ebb.store.repair import drain
from ebb.store.subject_document import AGREES, AWAY
from ebb.store.subjects import Subjects
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.features import ValkeyFeatures
from ebb.valkey.refilled import KEY, ValkeyRefilled
from lambdas.maintain.bootstrap import bootstrap
from tests.real_stores import RealStores
from tests.tiny_home import in_postgres, in_valkey

CANARY = "Canary-4711-Lovelace"
WHO = "subject"
ACCESS = Access(1_800_000_000.5, "acme", "erase", "c-1")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStores]:
    running = RealStores(tmp_path_factory.mktemp("stores"))
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def fast(servers: RealStores) -> Iterator[ValkeyFeatures]:
    tier = connect_fast(servers.settings, Silent())
    yield tier
    tier.close()


@pytest.fixture
def subjects(servers: RealStores, fast: ValkeyFeatures) -> Iterator[Subjects]:
    """Return the rights of subjects, one of whom is held, and nobody else."""
    connection = connect_postgres(servers.settings, CALM)
    for table in ("features", "history", "repairs", "subject_accesses"):
        connection.query(f"delete from {table}")  # noqa: S608 - constants
    with redis.Redis(port=servers.valkey.port) as valkey:
        valkey.flushall()
    write(servers, {"city": CANARY, "tenure": 3.0}, time.time() - 100)
    write(servers, {"tenure": 4.0}, time.time() - 50)
    yield Subjects(PostgresSubjects(connection), fast)
    connection.close()


def write(servers: RealStores, values: dict[str, Any], at: float) -> FeatureRecord:
    store = servers.writer()
    return store.write([FeatureUpdate(WHO, values, at)])[WHO]


def _rows(servers: RealStores) -> str:
    connection = connect_postgres(servers.settings, CALM)
    found = in_postgres(connection)
    connection.close()
    return found


def test_both_tiers_hold_nothing_but_the_tombstone(servers: RealStores, subjects: Subjects) -> None:
    assert CANARY.encode() in in_valkey(servers.valkey.port)
    assert CANARY in _rows(servers)
    before = servers.durable().read(WHO)
    assert before is not None
    salt = before.salt
    assert salt in _rows(servers)
    assert salt.encode() in in_valkey(servers.valkey.port)
    erased = subjects.erase(WHO, ACCESS)
    assert not erased.fast_pending
    assert abs(erased.erased_at - time.time()) < 60
    assert CANARY.encode() not in in_valkey(servers.valkey.port)
    assert CANARY not in _rows(servers)
    # Without its salt, what was ever sealed for the subject stays sealed.
    assert salt.encode() not in in_valkey(servers.valkey.port)
    assert salt not in _rows(servers)
    document = subjects.export(WHO, ACCESS)
    assert document["current"]["features"] == {}
    assert document["history"] == []
    assert document["fast_tier"]["state"] == AGREES
    assert [access["action"] for access in document["accesses"]] == ["erase", "erase"]


def test_everything_held_is_exported(subjects: Subjects) -> None:
    document = subjects.export(WHO, Access(1_800_000_000.5, "acme", "export", "c-2"))
    assert document["current"]["features"]["city"]["value"] == CANARY
    assert document["fast_tier"]["state"] == AGREES
    assert [row["values"] for row in document["history"]] == [{"tenure": 4.0}, {"city": CANARY, "tenure": 3.0}]
    assert document["accesses"] == [vars(Access(1_800_000_000.5, "acme", "export", "c-2"))]


def test_a_late_event_changes_nothing_and_a_newer_one_starts_anew(servers: RealStores, subjects: Subjects) -> None:
    before = servers.durable().read(WHO)
    assert before is not None
    subjects.erase(WHO, ACCESS)
    assert write(servers, {"city": CANARY}, time.time() - 10).is_tombstone
    assert CANARY not in _rows(servers)
    newer = write(servers, {"tenure": 1.0}, time.time() + 1)
    assert newer.values == {"tenure": 1.0}
    assert len(newer.salt) == len(before.salt) == 32
    assert newer.salt != before.salt
    assert write(servers, {"city": CANARY}, time.time() - 10).values == {"tenure": 1.0}, "the floor stays"
    assert [row["values"] for row in subjects.export(WHO, ACCESS)["history"]] == [{"tenure": 1.0}]
    assert servers.repaired().agrees


@pytest.mark.parametrize("ahead", [0.0, 200.0, 9e8])
def test_an_event_ahead_of_the_clock_does_not_come_back_when_it_is_sent_again(
    servers: RealStores, subjects: Subjects, ahead: float
) -> None:
    at = time.time() + ahead
    write(servers, {"city": CANARY}, at)
    write(servers, {"tenure": 1.0}, time.time() - 1)
    erased = subjects.erase(WHO, ACCESS)
    assert erased.erased_at <= time.time() + AHEAD_SECONDS + 1
    again = write(servers, {"city": CANARY}, at)
    assert again.is_tombstone == (ahead < AHEAD_SECONDS)


def test_a_slow_reader_and_a_note_from_before_bring_nothing_back(
    servers: RealStores, subjects: Subjects, fast: ValkeyFeatures
) -> None:
    durable = servers.durable()
    slow = durable.read(WHO)
    assert slow is not None
    durable.merge([FeatureUpdate(WHO, {"city": CANARY}, time.time() - 20)])  # its note stays: the writer died
    subjects.erase(WHO, ACCESS)
    fast.put({WHO: slow})
    assert fast.held([WHO])[WHO].is_tombstone
    assert drain(durable, fast, older_than=-1.0, limit=10).notes == 1
    assert fast.held([WHO])[WHO].is_tombstone
    assert CANARY.encode() not in in_valkey(servers.valkey.port)
    durable.close()


def test_while_valkey_is_silent_an_erasure_is_pending_and_then_repaired(
    servers: RealStores, subjects: Subjects, fast: ValkeyFeatures
) -> None:
    durable = servers.durable()
    with servers.silent(servers.valkey):
        erased = subjects.erase(WHO, ACCESS)
        assert erased.document(time.time())["fast_tier"] == "pending"
        assert subjects.export(WHO, ACCESS)["fast_tier"]["state"] == AWAY
        assert drain(durable, fast, older_than=-1.0, limit=10).away
    deadline = time.monotonic() + 20
    while not drain(durable, fast, older_than=-1.0, limit=10).notes:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert fast.held([WHO])[WHO].is_tombstone
    assert servers.repaired().agrees
    durable.close()


def test_a_valkey_that_came_back_empty_is_refilled_and_knows_when_it_was(
    servers: RealStores, subjects: Subjects
) -> None:
    durable, store = servers.durable(), servers.writer()
    others = [f"other é {number}" for number in range(1_200)]
    store.write([FeatureUpdate(entity_id, {"x": 1.0}, time.time() - 1) for entity_id in others])
    subjects.erase(WHO, ACCESS)
    servers.restart_valkey()
    refilled = ValkeyRefilled(ValkeyAddress("127.0.0.1", servers.valkey.port), seconds=2.0)
    fast = connect_fast(servers.settings, Silent())
    assert (refilled.position(), refilled.size(), refilled.has_room()) == ("", 0, True)
    first = refill(durable, fast, "", lambda: False)
    refilled.keep(first.after)
    assert refilled.position() == first.after in {*others, WHO}
    refilled.keep(refill(durable, fast, first.after, lambda: True).after or None)
    assert refilled.position() is None
    assert set(fast.held([*others, WHO])) == set(others)
    connection = connect_postgres(servers.settings, CALM)
    assert count_subjects(connection) == len(others)
    assert refilled.size() == len(others)
    with redis.Redis(port=servers.valkey.port) as valkey:
        valkey.set(KEY, b"garbage")
    assert refilled.position() == ""
    for tier in (refilled, fast, durable, connection):
        tier.close()


class Busy:
    """Somebody who does the same again and again in a thread of their own, until told to stop."""

    def __init__(self, pool: ThreadPoolExecutor, stop: Event, work: Callable[[], None]) -> None:
        self._stop, self._work = stop, work
        self.done = pool.submit(self._run)

    def _run(self) -> int:
        times = 0
        while not self._stop.is_set():
            self._work()
            times += 1
        return times


def test_a_refill_that_outlived_the_valkey_it_told_counts_for_nothing(servers: RealStores) -> None:
    refilling = ValkeyRefilled(ValkeyAddress("127.0.0.1", servers.valkey.port), seconds=1.0)
    with redis.Redis(port=servers.valkey.port) as valkey:
        valkey.flushall()
        assert refilling.position() == ""
        valkey.flushall()  # as a restart in the middle of a refill does
        refilling.keep("m")
        assert refilling.position() == ""
        refilling.keep("m")
        assert refilling.position() == "m"
        refilling.keep(None)
        assert refilling.position() is None
        valkey.flushall()
    refilling.close()


def test_writers_readers_repairs_and_erasures_at_the_same_time_leave_both_tiers_agreeing(
    servers: RealStores, subjects: Subjects
) -> None:
    """Each value is the moment of its write, so that what was erased would be seen."""
    stop = Event()
    people = [f"busy-{number}" for number in range(3)]
    writers, reader, durable = [servers.writer() for _ in range(2)], servers.store(), servers.durable()
    fast = connect_fast(servers.settings, Silent())

    def write_all(number: int) -> None:
        at = time.time() - (0.05 if number else 0.0)  # one of the writers is late
        writers[number].write([FeatureUpdate(who, {f"x{number}": at}, at) for who in people])

    def read_all() -> None:
        for who in people:
            reader.read(who, "me", {})

    def repair() -> None:
        drain(durable, fast, older_than=-1.0, limit=10)

    with ThreadPoolExecutor(4) as pool:
        work = [lambda: write_all(0), lambda: write_all(1), read_all, repair]
        busy = [Busy(pool, stop, each) for each in work]
        erased = {}
        for round_ in range(60):
            who = people[round_ % len(people)]
            erased[who] = subjects.erase(who, ACCESS).erased_at
        stop.set()
        assert all(each.done.result(60) > 3 for each in busy)
    assert servers.repaired().agrees
    for who in people:
        for held in (durable.read(who), fast.held([who]).get(who)):
            assert held is not None
            assert held.erased_at is not None
            assert held.erased_at >= erased[who]
            assert all(moment > held.erased_at for moment in held.event_times.values())
        rows = subjects.export(who, ACCESS)["history"]
        assert all(row["event_time"] > erased[who] for row in rows)
    durable.close()
    fast.close()


def test_a_valkey_that_is_nearly_full_has_no_room_for_a_refill(servers: RealStores, subjects: Subjects) -> None:
    assert subjects.export(WHO, ACCESS)["fast_tier"]["state"] == AGREES
    refilled = ValkeyRefilled(ValkeyAddress("127.0.0.1", servers.valkey.port), seconds=2.0)
    with redis.Redis(port=servers.valkey.port) as valkey:
        usual, used = valkey.config_get("maxmemory")["maxmemory"], valkey.info("memory")["used_memory"]
        try:
            for most, room in ((0, True), (int(used * 1.1), False), (used * 3, True)):
                valkey.config_set("maxmemory", most)
                assert refilled.has_room() is room
        finally:
            valkey.config_set("maxmemory", usual)
    refilled.close()


def test_the_maintenance_runs_every_task_on_real_servers(servers: RealStores, subjects: Subjects) -> None:
    settings = servers.settings
    environment = {
        "EBB_RELEASES": str(settings.releases),
        "EBB_VALKEY_HOST": settings.valkey_host,
        "EBB_VALKEY_PORT": str(settings.valkey_port),
        "EBB_POSTGRES_HOST": settings.postgres.host,
        "EBB_POSTGRES_PORT": str(settings.postgres.port),
        "EBB_POSTGRES_USER": settings.postgres.user,
        "EBB_POSTGRES_PASSWORD": settings.postgres.password,
        "EBB_POSTGRES_DATABASE": settings.postgres.database,
    }
    maintenance = bootstrap(environment)
    store = servers.store()
    for _ in range(10):
        assert store.read(WHO, "me", {}).tier == "fast"
    done = maintenance.run("all")
    assert done["failed"] == {}
    assert done["refresh"] == {"records": 1}
    assert (done["check"]["agrees"], done["check"]["checked"]) == (True, 1)
    assert done["refill"]["complete"]
    subjects.erase(WHO, ACCESS)
    assert maintenance.run("refresh")["refresh"] == {"records": 0}, "who is erased is not hot"
    assert maintenance.run("check")["check"]["tombstones"] == 1
    with redis.Redis(port=servers.valkey.port) as valkey:
        valkey.flushall()
    assert maintenance.run("refill")["refill"] == {"records": 0, "complete": True}
    for tier in (maintenance.durable, maintenance.fast, maintenance.refilling):
        assert isinstance(tier, PostgresFeatures | ValkeyFeatures | ValkeyRefilled)
        tier.close()
