"""Erasure against writes, on several connections and in every month: nothing older ever comes back."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from ebb.ports import Access, FeatureUpdate, Left
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.month import Month
from ebb.postgres.months import LOCK_LEAVE, PostgresMonths
from ebb.postgres.refusal import Refused
from ebb.postgres.subjects import PostgresSubjects
from local.servers.postgres import Postgres
from tests.integration.databases import Database

DAY = 86_400.0
LONG, SHORT = 400 * DAY, 60 * DAY
ACCESS = Access(1.5e9, "tester", "erase", "call-1")


@pytest.fixture
def database(postgres_server: Postgres) -> Database:
    return Database.fresh(postgres_server)


@pytest.fixture
def connection(database: Database) -> Iterator[PostgresConnection]:
    made = database.connect()
    yield made
    made.close()


@pytest.mark.parametrize("together", [1, 3])
def test_writes_and_erasures_at_once_leave_nothing_older(database: Database, together: int) -> None:
    who, stop = "raced", threading.Event()

    def write(number: int) -> int:
        connection = database.connect()
        features, done = PostgresFeatures(connection), 0
        while not stop.is_set():
            # As old as a write that was long on its way, or sent twice.
            moment = time.time() - 0.01 * (done % 3)
            others = [FeatureUpdate(f"{number}-{i}", {"a": 1}, moment) for i in range(together - 1)]
            features.merge([FeatureUpdate(who, {f"f{number}": done}, moment), *others])
            done += 1
        connection.close()
        return done

    connection = database.connect()
    subjects = PostgresSubjects(connection)
    salts = set()
    with ThreadPoolExecutor(3) as road:
        writers = [road.submit(write, number) for number in range(3)]
        try:
            for _ in range(60):
                erased_at = subjects.erase(who, ACCESS).records[who].erased_at
                assert erased_at is not None
                for row in subjects.history(who):
                    assert row.event_time > erased_at - 1e-6
                record = subjects.read(who)
                assert record is not None
                assert record.erased_at == erased_at
                assert all(moment > erased_at for moment in record.event_times.values())
                salts.add(record.salt)
                time.sleep(0.005)
        finally:
            stop.set()
        assert all(writer.result() > 10 for writer in writers)
    assert len(salts) > 2
    assert len(subjects.accesses(who)) == 60
    connection.close()


def test_an_erasure_waits_for_a_write_and_takes_it_along(database: Database, connection: PostgresConnection) -> None:
    writer, watcher = database.connect(), database.connect()
    now = time.time()
    PostgresFeatures(writer).merge([FeatureUpdate("a", {"x": 0}, now - 9)])
    with ThreadPoolExecutor(1) as road:
        with writer.transaction():
            PostgresFeatures(writer)._merge([FeatureUpdate("a", {"x": 1}, now - 1)])
            erasing = road.submit(PostgresSubjects(connection).erase, "a", ACCESS)
            deadline = time.monotonic() + 5
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = :name"
            while not watcher.query(waiting, name=database.name)[0][0] and time.monotonic() < deadline:
                time.sleep(0.01)
        assert erasing.result().records["a"].is_tombstone
    writer.close()
    watcher.close()
    assert PostgresSubjects(connection).history("a") == []


@pytest.mark.parametrize("leaving", ["attached", "pending", "detached"])
def test_every_month_is_searched(database: Database, connection: PostgresConnection, leaving: str) -> None:
    now = time.time()
    old = Month.of(now - 200 * DAY).table
    features = PostgresFeatures(connection, LONG)
    for who in ("gone", "stays"):
        for moment in (now - 200 * DAY, now - 10):
            features.merge([FeatureUpdate(who, {"x": 1}, moment)])
    reader = database.connect()
    if leaving == "pending":
        with reader.use() as own:
            own.run("begin")
            own.run("select count(*) from history")
        assert PostgresMonths(connection, SHORT).drop_expired() == Left(waiting=old)
    if leaving == "detached":
        connection.query(f"alter table history detach partition {old}")
    PostgresSubjects(connection).erase("gone", ACCESS)
    reader.close()
    assert connection.query(f"select entity_id from {old}") == [["stays"]]  # noqa: S608 - a month's name
    assert PostgresSubjects(connection).history("gone") == []
    assert len(PostgresSubjects(connection).history("stays")) == (2 if leaving == "attached" else 1)


def test_no_month_is_dropped_while_an_erasure_searches_it(database: Database, connection: PostgresConnection) -> None:
    PostgresFeatures(connection).merge([FeatureUpdate("a", {"x": 1}, time.time() - 1)])
    subjects = PostgresSubjects(database.connect(lock_timeout=0.2))
    with connection.use() as dropping:
        dropping.run(f"select pg_advisory_lock({LOCK_LEAVE})")
        with pytest.raises(Refused, match="lock timeout"):
            subjects.erase("a", ACCESS)
        dropping.run(f"select pg_advisory_unlock({LOCK_LEAVE})")
    assert len(subjects.history("a")) == 1
    assert subjects.erase("a", ACCESS).records["a"].is_tombstone
    subjects._connection.close()


def test_an_erasure_that_fails_erases_nothing(database: Database, connection: PostgresConnection) -> None:
    who = uuid4().hex
    PostgresFeatures(connection).merge([FeatureUpdate(who, {"x": 1}, time.time() - 1)])
    subjects = PostgresSubjects(database.connect(lock_timeout=0.2))
    with connection.transaction() as own:
        own.run("lock table subject_accesses in exclusive mode")
        with pytest.raises(Refused, match="lock timeout"):
            subjects.erase(who, ACCESS)
    record = subjects.read(who)
    assert record is not None
    assert record.values == {"x": 1}
    assert len(subjects.history(who)) == 1
    assert subjects.accesses(who) == []
    assert subjects.erase(who, ACCESS).records[who].is_tombstone
    subjects._connection.close()
