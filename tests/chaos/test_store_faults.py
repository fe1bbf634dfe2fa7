"""The feature store on real servers that die, stop and fill up: nothing acknowledged is lost, and the tiers agree."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pg8000.native
import pytest
import redis

from ebb.connect import CALM
from ebb.errors import Unavailable
from ebb.ports import Access
from ebb.postgres.subjects import PostgresSubjects
from ebb.store.store import AWAY, BUSY, FeatureStore
from tests.fakes.proxy import proxy_to
from tests.fakes.stores import Counted
from tests.real_stores import RealStores, until, update

PEOPLE = [f"p-{i}" for i in range(50)]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RealStores]:
    made = RealStores(tmp_path)
    try:
        yield made
    finally:
        made.end()


def _fill(servers: RealStores, at: float = 100.0) -> None:
    servers.writer().write([update(who, float(i), at) for i, who in enumerate(PEOPLE)])


def _tier(store: FeatureStore, who: str) -> str:
    return store.read(who, "me", {}).tier


class Writing:
    """Writes to everybody in turn in a thread of its own, and remembers what was acknowledged."""

    def __init__(self, servers: RealStores) -> None:
        self._store = servers.writer()
        self._stop = Event()
        self.acknowledged: dict[str, float] = {}
        self.written = self.failed = 0
        self._pool = ThreadPoolExecutor(1)
        self._run = self._pool.submit(self._write)

    def _write(self) -> None:
        value = 1_000.0
        while not self._stop.is_set():
            value += 1
            who = PEOPLE[int(value) % len(PEOPLE)]
            try:
                self._store.write([update(who, value, value)])
            except Unavailable:
                self.failed += 1
                continue
            self.acknowledged[who] = value
            self.written += 1

    def end(self) -> dict[str, float]:
        self._stop.set()
        self._run.result(timeout=30)
        self._pool.shutdown()
        return self.acknowledged


def _nothing_is_lost(servers: RealStores, acknowledged: dict[str, float]) -> None:
    held = servers.durable().read_many(PEOPLE)
    for who, value in acknowledged.items():
        # A later write may have been made without its acknowledgement having come.
        written = held[who].values["x"]
        assert isinstance(written, float | int)
        assert written >= value
    found = servers.repaired()
    assert found.agrees, found.document()
    reader = servers.store()
    for who in acknowledged:
        record = reader.read(who, "me", {}).record
        assert record == held[who] or (record is not None and record.version >= held[who].version)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "silent"])
def test_valkey_lost_while_it_is_written(servers: RealStores, how: signal.Signals) -> None:
    _fill(servers)
    writing, reader = Writing(servers), servers.store()
    until(lambda: len(writing.acknowledged) > 20)
    if how is signal.SIGKILL:
        os.kill(servers.valkey.pid, how)
    else:
        servers.stop_all(servers.valkey)
    before = writing.written
    tiers = {_tier(reader, who) for who in PEOPLE}
    until(lambda: writing.written > before + 5)
    if how is signal.SIGKILL:
        servers.restart_valkey()
    else:
        servers.go_on()
    until(lambda: _tier(reader, PEOPLE[0]) == "fast")
    acknowledged = writing.end()
    assert writing.failed == 0
    assert tiers == {"durable"}
    _nothing_is_lost(servers, acknowledged)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "silent"])
def test_postgres_lost_while_it_is_written(servers: RealStores, how: signal.Signals) -> None:
    _fill(servers)
    writing, reader = Writing(servers), servers.store()
    until(lambda: len(writing.acknowledged) > 20)
    if how is signal.SIGKILL:
        os.kill(servers.postgres.pid, how)
    else:
        servers.stop_all(servers.postgres)
    assert {_tier(reader, who) for who in PEOPLE} == {"fast"}
    assert reader.read("nobody", "me", {}).trouble == AWAY
    if how is signal.SIGKILL:
        servers.restart_postgres()
    else:
        servers.go_on()
    until(lambda: reader.read("nobody", "me", {}).trouble == "", 30)
    before = writing.written
    until(lambda: writing.written > before + 5)
    _nothing_is_lost(servers, writing.end())


def test_a_silent_valkey_costs_one_timeout_an_interval(servers: RealStores) -> None:
    _fill(servers)
    signals = Counted()
    store = servers.store(signals)
    for who in PEOPLE:
        store.read(who, "me", {})
    with servers.silent(servers.valkey):
        store.read(PEOPLE[0], "me", {})
        until(lambda: store.read(PEOPLE[0], "me", {}) is not None and signals.gauges.get("breaker_valkey") == 2)
        slow, start = 0, time.monotonic()
        while time.monotonic() - start < 3.0:
            began = time.perf_counter()
            store.read(PEOPLE[0], "me", {})
            slow += time.perf_counter() - began > 0.008
        took = time.monotonic() - start
    assert slow <= took + 1 + 2  # a busy machine may add one or two of its own


def test_a_silent_postgres_costs_nothing_while_valkey_holds_the_entity(servers: RealStores) -> None:
    _fill(servers)
    store = servers.store()
    with servers.silent(servers.postgres):
        start = time.perf_counter()
        assert {_tier(store, who) for who in PEOPLE} == {"fast"}
        assert time.perf_counter() - start < 1.0


def test_both_away_is_answered_from_the_cache_or_said(servers: RealStores) -> None:
    _fill(servers)
    store = servers.store()
    store.read(PEOPLE[0], "me", {})
    with servers.silent(servers.postgres), servers.silent(servers.valkey):
        for _ in range(20):
            store.read("somebody", "me", {})
        start = time.perf_counter()
        for _ in range(100):
            assert _tier(store, PEOPLE[0]) == "cache"
        assert time.perf_counter() - start < 1.0
        assert store.read(PEOPLE[1], "me", {}).trouble == AWAY
    until(lambda: _tier(store, PEOPLE[1]) == "fast", 5)


def test_a_full_valkey_refuses_and_nothing_stale_survives(tmp_path: Path) -> None:
    servers = RealStores(tmp_path, policy="noeviction", memory_mib=4)
    try:
        _fill(servers)
        writer, reader = servers.writer(), servers.store()
        with redis.Redis(port=servers.valkey.port) as client:
            _fill_up(client)
            writer.write([update(who, 5_000.0, 5_000.0) for who in PEOPLE])
            read = [reader.read(who, "me", {}).record for who in PEOPLE]
            assert {record.event_times["x"] for record in read if record is not None} == {5_000.0}
            assert None not in read
            client.delete(*(f"stuff-{number}" for number in range(100)))
        assert servers.repaired().agrees
        assert {_tier(servers.store(), who) for who in PEOPLE} == {"fast"}
    finally:
        servers.end()


def test_postgres_without_a_free_connection_is_said_and_recovers(servers: RealStores) -> None:
    _fill(servers)
    with redis.Redis(port=servers.valkey.port) as client:
        client.flushall()
    taken: list[pg8000.native.Connection] = []
    try:
        with suppress(pg8000.native.DatabaseError):
            while len(taken) < 200:
                taken.append(_connection(servers))
        assert len(taken) < 200
        store = servers.store()
        assert store.read(PEOPLE[0], "me", {}).trouble == AWAY
        with pytest.raises(Unavailable):
            servers.writer().write([update(PEOPLE[0], 1.0, 200.0)])
    finally:
        for connection in taken:
            connection.close()
    until(lambda: _tier(store, PEOPLE[0]) in {"durable", "fast"})
    servers.writer().write([update(PEOPLE[0], 2.0, 300.0)])
    assert servers.repaired().agrees


def test_a_write_that_waits_for_a_lock_is_refused_in_time_and_works_afterwards(servers: RealStores) -> None:
    _fill(servers)
    writer = servers.writer()
    holder = _connection(servers)
    try:
        holder.run("begin")
        holder.run("select 1 from features where entity_id = :who for update", who=PEOPLE[0])
        start = time.monotonic()
        with pytest.raises(Unavailable, match="Postgres"):
            writer.write([update(PEOPLE[0], 9.0, 900.0)])
        assert time.monotonic() - start < 4
        writer.write([update(PEOPLE[1], 9.0, 900.0)])
        holder.run("rollback")
    finally:
        holder.close()
    writer.write([update(PEOPLE[0], 9.0, 900.0)])
    assert servers.repaired().agrees


def test_a_lost_valkey_under_load_never_floods_postgres(servers: RealStores) -> None:
    """Four environments, each as fast as it can: Postgres sees their budgets and one connection each, no more."""
    rate, environments, seconds = 50.0, 4, 3.0
    _fill(servers)
    watcher = _connection(servers)
    os.kill(servers.valkey.pid, signal.SIGKILL)
    signals = [Counted() for _ in range(environments)]

    def hammer(counted: Counted) -> int:
        store, end, number = servers.store(counted, durable_rate=rate), time.monotonic() + seconds, 0
        while time.monotonic() < end:
            # Somebody new each time: nothing of it is in the cache.
            reading = store.read(f"nobody-{number}", "me", {})
            assert reading.trouble in {"", BUSY}
            number += 1
        return number

    before, others = _reads_of(watcher), _clients_of(watcher)
    with ThreadPoolExecutor(environments) as pool:
        running = [pool.submit(hammer, counted) for counted in signals]
        time.sleep(seconds / 2)
        connections = _clients_of(watcher) - others
        asked = sum(run.result() for run in running)
    reads = _reads_of(watcher) - before
    watcher.close()
    bound = environments * (rate + rate * seconds)
    assert asked > 2 * bound
    assert connections <= environments
    assert reads <= bound + environments
    assert sum(counted.counts["durable_denied"] for counted in signals) >= asked - bound - environments


def test_an_erasure_while_valkey_is_silent_reaches_it_with_the_repair(servers: RealStores) -> None:
    _fill(servers)
    who, store = PEOPLE[0], servers.store()
    subjects = PostgresSubjects(servers.connection())
    with servers.silent(servers.valkey):
        subjects.erase(who, Access(time.time(), "me", "erase", "c-1"))
        servers.writer().write([update(who, 1.0, 50.0)])  # late: from before the erasure
    assert servers.repaired().agrees
    until(lambda: store.read(who, "me", {}).tier == "fast")
    assert store.read(who, "me", {}).record is None


def test_a_replica_is_promoted_in_a_lost_primarys_place(tmp_path: Path) -> None:
    """First the name leads to a replica that refuses writes, as in the middle of a failover; then it is promoted."""
    servers = RealStores(tmp_path, with_replica=True)
    try:
        _fill(servers)
        assert servers.replica is not None
        with redis.Redis(port=servers.replica.port) as client:
            until(lambda: client.dbsize() >= len(PEOPLE))
        servers.fail_over()
        writer, reader = servers.writer(), servers.store()
        writer.write([update(who, 7_000.0, 7_000.0) for who in PEOPLE])
        servers.valkey.promote()
        assert servers.repaired().agrees
        read = [reader.read(who, "me", {}).record for who in PEOPLE]
        assert {record.event_times["x"] for record in read if record is not None} == {7_000.0}
        assert None not in read
    finally:
        servers.end()


def test_a_half_open_network_is_found_out_and_left(servers: RealStores) -> None:
    """Connections stay open, and nothing comes through any more: neither server may hold an answer up."""
    _fill(servers)
    with proxy_to(servers.valkey.port) as to_valkey, proxy_to(servers.postgres.port) as to_postgres:
        store = servers.store(valkey_port=to_valkey.port, postgres_port=to_postgres.port)
        writer = servers.store(patience=CALM, valkey_port=to_valkey.port, postgres_port=to_postgres.port)
        until(lambda: _tier(store, PEOPLE[0]) == "fast")
        to_valkey.swallow(on=True)
        until(lambda: _tier(store, PEOPLE[1]) == "durable")
        writer.write([update(PEOPLE[3], 9.0, 900.0)])
        to_postgres.swallow(on=True)
        with pytest.raises(Unavailable):
            writer.write([update(PEOPLE[4], 9.0, 900.0)])
        start = time.monotonic()
        until(lambda: store.read(PEOPLE[2], "me", {}).trouble == AWAY)
        assert _tier(store, PEOPLE[0]) == "cache"
        assert time.monotonic() - start < 2
        to_valkey.swallow(on=False)
        to_postgres.swallow(on=False)
        until(lambda: _tier(store, PEOPLE[2]) == "fast", 5)
        until(lambda: store.read("nobody", "me", {}).trouble == "", 5)
    found = servers.repaired()
    assert found.agrees, found.document()
    reader = servers.store()
    written = [reader.read(who, "me", {}).record for who in PEOPLE[3:5]]
    assert [record and record.values["x"] for record in written] == [9.0, 4.0]


def test_a_valkey_that_is_loading_is_passed_by_and_used_when_it_is_done(tmp_path: Path) -> None:
    servers = RealStores(tmp_path)
    try:
        _fill(servers)
        store, seen = servers.store(), set[str]()
        servers.reload_valkey(lambda: seen.add(_tier(store, PEOPLE[0])))
        assert seen <= {"durable", "fast"}
        assert "durable" in seen
        until(lambda: _tier(store, PEOPLE[0]) == "fast")
        assert servers.repaired().agrees
    finally:
        servers.end()


def _fill_up(client: redis.Redis) -> None:
    """Write until the server takes no more."""
    with suppress(redis.exceptions.OutOfMemoryError):
        for number in range(100):
            client.set(f"stuff-{number}", b"x" * 100_000)
        pytest.fail("the server took everything")


def _connection(servers: RealStores) -> pg8000.native.Connection:
    server = servers.postgres
    return pg8000.native.Connection(
        server.user, host="127.0.0.1", port=server.port, password=server.password, database=server.database, timeout=5
    )


def _clients_of(watcher: pg8000.native.Connection) -> int:
    counted = watcher.run("select count(*) from pg_stat_activity where backend_type = 'client backend'")
    return int(counted[0][0])


def _reads_of(watcher: pg8000.native.Connection) -> int:
    """Return how often the index of current values was read, by the server's own count."""
    watcher.run("select pg_stat_clear_snapshot()")
    counted = watcher.run("select idx_scan from pg_stat_user_indexes where indexrelname = 'features_pkey'")
    return int(counted[0][0])
