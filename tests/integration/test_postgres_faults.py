"""Postgres silent, full, locked, or killed: one sentence in time, nothing half written, and the next use works."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pg8000.native
import pytest

from ebb.errors import Unavailable
from ebb.ports import FeatureUpdate, Merged
from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.merge import INCOMING, merge_incoming
from ebb.postgres.refusal import Refused
from local.servers.postgres import Postgres
from tests.integration.databases import Database

KEEP = 730 * 86_400.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture
def server(folder: Path) -> Iterator[Postgres]:
    """A server of its own: these tests kill it."""
    started = Postgres.start(folder, durable=False)
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.kill(started.pid, signal.SIGCONT)
        started.stop()


@pytest.fixture
def database(server: Postgres) -> Database:
    return Database.fresh(server)


@pytest.fixture
def connection(database: Database) -> Iterator[PostgresConnection]:
    made = database.connect()
    yield made
    made.close()


def _pid(connection: PostgresConnection) -> int:
    return int(connection.query("select pg_backend_pid()")[0][0])


def test_a_silent_server_costs_one_timeout_and_is_told_from_one_that_is_gone() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        port = silent.getsockname()[1]
        where = PostgresConnection(PostgresAddress("127.0.0.1", port, "u", "p", "d"), timeout=5.0, connect_timeout=0.1)
        start = time.monotonic()
        with pytest.raises(Unavailable, match="Postgres does not answer") as told:
            where.query("select 1")
        assert told.value.timeout
        assert time.monotonic() - start < 1
    with pytest.raises(Unavailable) as told:
        where.query("select 1")
    assert not told.value.timeout


def test_a_stopped_backend_costs_one_read_timeout(database: Database) -> None:
    brief = database.connect(timeout=0.1)
    features = PostgresFeatures(brief)
    assert features.read("a") is None
    pid = _pid(brief)
    os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        with pytest.raises(Unavailable) as told:
            features.read("a")
        assert time.monotonic() - start < 0.5
        assert told.value.timeout
        assert features.read("a") is None
    finally:
        os.kill(pid, signal.SIGCONT)
    brief.close()


def test_a_server_that_takes_no_connection_costs_one_connect_timeout(server: Postgres, database: Database) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        brief = database.connect(connect_timeout=0.25)
        start = time.monotonic()
        with pytest.raises(Unavailable) as told:
            brief.query("select 1")
        assert time.monotonic() - start < 1
        assert told.value.timeout
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert brief.query("select 1") == [[1]]
    brief.close()


def test_the_server_gives_up_what_nobody_waits_for(database: Database, connection: PostgresConnection) -> None:
    brief = database.connect(timeout=0.2)
    with pytest.raises(Unavailable) as told:
        brief.query("select pg_sleep(60)")
    assert told.value.timeout  # whoever was first to give up
    deadline = time.monotonic() + 5
    running = "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"
    while connection.query(running)[0][0] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert connection.query(running) == [[0]]
    brief.close()


def _taken(server: Postgres, database: Database) -> pg8000.native.Connection:
    return pg8000.native.Connection(
        server.user, host=server.host, port=server.port, database=database.name, password=server.password
    )


def test_too_many_connections(server: Postgres, database: Database) -> None:
    taken: list[pg8000.native.Connection] = []
    waiting = database.connect()
    try:
        with suppress(pg8000.native.DatabaseError):
            while len(taken) < 500:
                taken.append(_taken(server, database))
        with pytest.raises(Refused, match="too many clients") as told:
            waiting.query("select 1")
        assert (told.value.code, told.value.timeout) == ("53300", False)
    finally:
        for each in taken:
            each.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert waiting.query("select 1") == [[1]]
            break
        except Refused:
            time.sleep(0.02)
    assert waiting.query("select 1") == [[1]]
    waiting.close()


def test_a_row_that_another_one_holds_is_given_up_in_time(database: Database, connection: PostgresConnection) -> None:
    PostgresFeatures(connection).merge([FeatureUpdate("held", {"a": 1}, 1.0)])
    features = PostgresFeatures(database.connect(lock_timeout=0.2))
    with connection.transaction() as own:
        own.run("select 1 from features where entity_id = 'held' for update")
        start = time.monotonic()
        with pytest.raises(Refused, match="lock timeout") as told:
            features.merge([FeatureUpdate("held", {"a": 2}, 2.0), FeatureUpdate("free", {"a": 2}, 2.0)])
        assert time.monotonic() - start < 1.5
        assert told.value.code == "55P03"
    assert features.read("free") is None
    assert features.merge([FeatureUpdate("held", {"a": 3}, 3.0)]).records["held"].values == {"a": 3}
    features.close()


@pytest.mark.parametrize("killed", ["backend", "server"])
def test_killed_in_the_middle_of_a_copy_writes_nothing(
    server: Postgres, connection: PostgresConnection, folder: Path, killed: str
) -> None:
    features = PostgresFeatures(connection)
    features.merge([FeatureUpdate("kept", {"a": 1}, 1.0)])
    pid = _pid(connection)

    def rows() -> Iterator[bytes]:
        for i in range(200_000):
            if i == 20_000:
                os.kill(pid if killed == "backend" else server.pid, signal.SIGKILL)
            yield f'e-{i}\t1.0\t{{"a": 1}}\t\\N\t{{"a": 1}}\n'.encode()

    def load() -> None:
        with connection.transaction() as own:
            own.run(INCOMING)
            own.run("copy incoming from stdin", stream=rows())
            merge_incoming(own, KEEP)

    with pytest.raises(Unavailable):
        load()
    again = server
    if killed == "server":
        server.stop()
        again = Postgres.start(folder, server.port, durable=False)
    try:
        deadline = time.monotonic() + 10
        record = None
        while record is None and time.monotonic() < deadline:
            try:
                record = features.read("kept")
            except Unavailable:  # it recovers
                time.sleep(0.02)
        assert record is not None
        assert features.page("", 10).keys() == {"kept"}
        assert len(features.unsettled(-1, 10)) == 1
        connection.close()
    finally:
        if again is not server:
            again.stop()


def _end(connection: PostgresConnection, other: PostgresConnection) -> None:
    """End another connection, and wait until it has heard of that."""
    connection.query("select pg_terminate_backend(cast(:pid as int), 5000)", pid=_pid(other))


def test_a_connection_that_ended_while_it_was_idle_costs_no_answer(
    database: Database, connection: PostgresConnection
) -> None:
    features = PostgresFeatures(database.connect())
    features.merge([FeatureUpdate("a", {"a": 1}, 1.0)])
    _end(connection, features._connection)
    record = features.read("a")
    assert record is not None
    assert record.values == {"a": 1}
    _end(connection, features._connection)
    features.merge([FeatureUpdate("a", {"a": 2}, 2.0)])
    features.close()


def test_a_connection_that_ended_in_a_transaction_is_not_replaced_there(
    database: Database, connection: PostgresConnection
) -> None:
    features = PostgresFeatures(database.connect())

    def ended() -> None:
        with features._connection.transaction():
            features._merge([FeatureUpdate("a", {"a": 1}, 1.0)])
            _end(connection, features._connection)
            features._merge([FeatureUpdate("b", {"a": 1}, 1.0)])

    with pytest.raises(Unavailable):
        ended()
    assert features.page("", 10) == {}
    features.close()


def test_a_failed_merge_writes_nothing(connection: PostgresConnection) -> None:
    features = PostgresFeatures(connection)
    text = {"a": "\0"}
    for updates in (
        [FeatureUpdate("a", text, 1.0)],
        [FeatureUpdate("b", {"a": 1}, 1.0), FeatureUpdate("a", text, 1.0)],
    ):
        with pytest.raises(Refused, match="Postgres refused"):
            features.merge(updates)
    assert features.page("", 10) == {}
    assert features.unsettled(-1, 10) == []


def test_an_interrupt_in_the_middle_of_a_transaction_writes_nothing(connection: PostgresConnection) -> None:
    features = PostgresFeatures(connection)

    def interrupted() -> None:
        with connection.transaction():
            features._merge([FeatureUpdate("a", {"a": 1}, 1.0)])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert features.read("a") is None
    features.merge([FeatureUpdate("a", {"a": 1}, 1.0)])
    assert features.read("a") is not None


def _write_on(features: PostgresFeatures, acknowledged: list[tuple[str, Merged]]) -> None:
    for number in range(1_000_000):
        merged = features.merge([FeatureUpdate(f"e-{number}", {"a": number}, time.time())])
        acknowledged.append((f"e-{number}", merged))


def test_nothing_acknowledged_is_lost_with_a_killed_server(tmp_path: Path) -> None:
    first = Postgres.start(tmp_path)
    second: Postgres | None = None
    try:
        database = Database.fresh(first)
        features, acknowledged = PostgresFeatures(database.connect()), list[tuple[str, Merged]]()
        killer = threading.Timer(0.4, os.kill, (first.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(Unavailable):
            _write_on(features, acknowledged)
        killer.join()
        first.stop()
        second = Postgres.start(tmp_path, first.port)
        assert len(acknowledged) > 10
        notes = {note.id for note in features.unsettled(-1, 1_000_000)}
        for who, merged in acknowledged:
            assert features.read(who) == merged.records[who]
            assert merged.repair in notes
        features.close()
    finally:
        for server in (first, second):
            if server is not None:
                server.stop()
