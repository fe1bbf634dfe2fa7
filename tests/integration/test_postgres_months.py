"""Months of the history arrive and leave on a real Postgres while others read, write, and hold transactions open."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from ebb.ports import FeatureUpdate, Left
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.history import PostgresHistory
from ebb.postgres.month import Month
from ebb.postgres.months import LOCK_LEAVE, PostgresMonths
from local.servers.postgres import Postgres
from tests.integration.databases import Database

DAY = 86_400.0
NOW = time.time()
OLD = NOW - 200 * DAY
LONG, SHORT = 400 * DAY, 60 * DAY


@pytest.fixture
def database(postgres_server: Postgres) -> Database:
    return Database.fresh(postgres_server)


@pytest.fixture
def connection(database: Database) -> Iterator[PostgresConnection]:
    made = database.connect()
    yield made
    made.close()


@contextmanager
def _reader(database: Database) -> Iterator[PostgresConnection]:
    """A transaction that has read the whole history, and stays open."""
    reader = database.connect()
    try:
        with reader.transaction():
            reader.query("select count(*) from history")
            yield reader
    finally:
        reader.close()


def _attached(connection: PostgresConnection) -> list[str]:
    rows = connection.query(
        "select relname from pg_inherits join pg_class on oid = inhrelid"
        " where inhparent = 'history'::regclass and not inhdetachpending order by 1"
    )
    return [row[0] for row in rows]


def _write(connection: PostgresConnection, who: str, event_time: float) -> None:
    PostgresFeatures(connection, LONG).merge([FeatureUpdate(who, {"a": 1}, event_time)])


@pytest.mark.parametrize(
    ("moment", "table", "end"),
    [
        (0.0, "history_1970_01", 31 * DAY),
        (1_798_761_599.999, "history_2026_12", 1_798_761_600.0),
        (1_798_761_600.0, "history_2027_01", 1_801_440_000.0),
    ],
)
def test_a_month_is_utc(moment: float, table: str, end: float) -> None:
    month = Month.of(moment)
    assert (month.table, month.end) == (table, end)
    assert Month.of_table(table) == month
    assert Month.of(end) == month.next


def test_a_write_brings_its_month_with_it(connection: PostgresConnection) -> None:
    assert _attached(connection) == []
    _write(connection, "a", OLD)
    _write(connection, "a", NOW)
    assert _attached(connection) == sorted({Month.of(OLD).table, Month.of(NOW).table})


def test_what_is_older_than_is_kept_brings_none(connection: PostgresConnection) -> None:
    features = PostgresFeatures(connection, SHORT)
    merged = features.merge([FeatureUpdate("a", {"a": 1}, OLD)])
    assert merged.records["a"].values == {"a": 1}
    assert _attached(connection) == []
    assert PostgresHistory(connection).history("a") == []


def test_a_row_just_past_the_limit_needs_no_month(connection: PostgresConnection) -> None:
    """Its month is wholly older, though this clock may think otherwise."""
    features = PostgresFeatures(connection, NOW - Month.of(OLD).end)
    features.merge([FeatureUpdate("a", {"a": 1}, Month.of(OLD).end - 1)])
    assert PostgresHistory(connection).history("a") == []


def test_all_who_need_a_month_at_once_get_it(database: Database) -> None:
    connections = [database.connect() for _ in range(4)]
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait()
        PostgresFeatures(connections[number], LONG).merge(
            [FeatureUpdate(f"{number}", {"a": 1}, NOW - i * 30 * DAY) for i in range(6)]
        )

    with ThreadPoolExecutor(4) as road:
        list(road.map(write, range(4)))
    assert len(_attached(connections[0])) == len({Month.of(NOW - i * 30 * DAY) for i in range(6)})
    assert [len(PostgresHistory(connections[0]).history(f"{i}")) for i in range(4)] == [6] * 4
    for each in connections:
        each.close()


def test_a_month_that_vanished_is_made_again_by_the_next_write(database: Database) -> None:
    connection, other = database.connect(), database.connect()
    features = PostgresFeatures(connection, LONG)
    features.merge([FeatureUpdate("a", {"a": 1}, OLD)])
    assert PostgresMonths(other, SHORT).drop_expired() == Left(dropped=Month.of(OLD).table)
    features.merge([FeatureUpdate("a", {"a": 2}, OLD)])
    assert [row.values for row in PostgresHistory(connection).history("a")] == [{"a": 2}]
    other.close()
    connection.close()


def test_an_arriving_month_waits_for_no_reader(database: Database, connection: PostgresConnection) -> None:
    _write(connection, "a", NOW)
    with _reader(database):
        start = time.monotonic()
        _write(connection, "a", NOW - 40 * DAY)
        assert time.monotonic() - start < 0.5
    assert len(_attached(connection)) == 2


def test_only_months_that_are_wholly_older_leave_one_at_a_time(connection: PostgresConnection) -> None:
    edge = NOW - SHORT
    for moment in (OLD, OLD + 31 * DAY, edge, NOW):
        _write(connection, "a", moment)
    months = PostgresMonths(connection, SHORT)
    assert months.drop_expired() == Left(dropped=Month.of(OLD).table)
    assert months.drop_expired() == Left(dropped=Month.of(OLD + 31 * DAY).table)
    assert months.drop_expired() == Left()
    assert _attached(connection) == sorted({Month.of(edge).table, Month.of(NOW).table})
    assert len(PostgresHistory(connection).history("a")) == 2


def test_a_month_that_is_read_leaves_later_and_keeps_nobody_waiting(
    database: Database, connection: PostgresConnection
) -> None:
    _write(connection, "a", OLD)
    _write(connection, "a", NOW)
    others, waits, stop = database.connect(), [0.0], threading.Event()

    def read_on() -> None:
        history = PostgresHistory(others)
        while not stop.is_set():
            start = time.perf_counter()
            assert history.known_at("a", NOW, time.time()) is not None
            waits[0] = max(waits[0], time.perf_counter() - start)

    months = PostgresMonths(connection, SHORT)
    leaving = Left(waiting=Month.of(OLD).table)
    with ThreadPoolExecutor(1) as road, _reader(database) as reader:
        reading = road.submit(read_on)
        try:
            assert months.drop_expired() == leaving
            assert _attached(connection) == [Month.of(NOW).table]
            arriving = database.connect()
            _write(arriving, "b", NOW - 40 * DAY)
            arriving.close()
            assert months.drop_expired() == leaving
            assert reader.query("select count(*) from features")[0][0] == 2
        finally:
            stop.set()
            try:
                reading.result()
            finally:
                others.close()
    assert waits[0] < 0.45, "for less than one wait for a lock"
    assert months.drop_expired() == Left(dropped=Month.of(OLD).table)
    assert months.drop_expired() == Left()
    assert connection.query(f"select to_regclass('{Month.of(OLD).table}')") == [[None]]


def test_an_arriving_month_is_checked_before_it_is_attached(connection: PostgresConnection) -> None:
    """With the check in place ATTACH looks at no row, and keeps its lock for no longer than it takes to say so."""
    PostgresMonths(connection, LONG).ensure([NOW, OLD])
    checked = connection.query(
        "select conrelid::regclass::text from pg_constraint where contype = 'c' and conname like 'history%holds'"
    )
    assert {row[0] for row in checked} >= {Month.of(NOW).table, Month.of(OLD).table}


def test_a_month_arrives_while_another_one_waits_to_leave(database: Database, connection: PostgresConnection) -> None:
    _write(connection, "a", OLD)
    arriving, watcher = database.connect(), database.connect()
    waiting = "select count(*) from pg_stat_activity where query like '%concurrently' and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as road, _reader(database):
        leaving = road.submit(PostgresMonths(connection, SHORT).drop_expired)
        deadline = time.monotonic() + 5
        while not watcher.query(waiting)[0][0] and time.monotonic() < deadline:
            time.sleep(0.01)
        start = time.monotonic()
        _write(arriving, "b", NOW)
        assert time.monotonic() - start < 0.4
        assert leaving.result() == Left(waiting=Month.of(OLD).table)
    arriving.close()
    watcher.close()


def test_a_month_whose_detach_was_killed_is_finished(database: Database, connection: PostgresConnection) -> None:
    _write(connection, "a", OLD)
    table = Month.of(OLD).table
    killed = database.connect()
    with killed.use() as own:
        pid = own.run("select pg_backend_pid()")[0][0]
    with ThreadPoolExecutor(1) as road, _reader(database):
        detach = road.submit(_detach, killed, table)
        deadline = time.monotonic() + 5
        while _attached(connection) and time.monotonic() < deadline:
            time.sleep(0.01)
        connection.query("select pg_terminate_backend(cast(:pid as int))", pid=pid)
        assert detach.exception() is not None
    assert PostgresMonths(connection, SHORT).drop_expired() == Left(dropped=table)
    killed.close()


def _detach(connection: PostgresConnection, table: str) -> None:
    with connection.use() as own:
        own.run(f"alter table history detach partition {table} concurrently")


def test_a_month_that_was_detached_only_is_dropped_or_comes_back(connection: PostgresConnection) -> None:
    for moment in (OLD, OLD + 40 * DAY):
        _write(connection, "a", moment)
        connection.query(f"alter table history detach partition {Month.of(moment).table}")
    PostgresMonths(connection, LONG).ensure([OLD + 40 * DAY])
    assert [row.event_time for row in PostgresHistory(connection).history("a")] == [pytest.approx(OLD + 40 * DAY)]
    months = PostgresMonths(connection, 170 * DAY)
    assert months.drop_expired() == Left(dropped=Month.of(OLD).table)
    assert months.drop_expired() == Left()


def test_one_process_drops_at_a_time(database: Database, connection: PostgresConnection) -> None:
    _write(connection, "a", OLD)
    other = database.connect()
    with other.transaction() as own:
        own.run(f"select pg_advisory_xact_lock({LOCK_LEAVE})")
        assert PostgresMonths(connection, SHORT).drop_expired() == Left()
    other.close()
    assert PostgresMonths(connection, SHORT).drop_expired() == Left(dropped=Month.of(OLD).table)
