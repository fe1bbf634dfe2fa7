"""Idempotency keys in Postgres and in memory alike; races, deaths and the way past a day, in Postgres."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from ebb.errors import Unavailable
from ebb.http.doors import answer
from ebb.http.scopes import FEATURES
from ebb.ports.idempotency import IdempotencyKeys
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.idempotency import PostgresIdempotencyKeys
from lambdas.records.once import Once
from local.servers.postgres import Postgres
from tests.fakes.events import event
from tests.fakes.idempotency import MemoryIdempotencyKeys
from tests.fakes.stores import MemoryStore
from tests.home import ROOT
from tests.integration.databases import Database

KEY, REQUEST, OTHER = b"k" * 32, b"r" * 32, b"o" * 32
LEASE = 60.0


@pytest.fixture(scope="module")
def database(postgres_server: Postgres) -> Database:
    return Database.fresh(postgres_server)


@pytest.fixture
def connection(database: Database) -> Iterator[PostgresConnection]:
    made = database.connect()
    made.query("delete from idempotency_keys")
    yield made
    made.close()


@pytest.fixture(params=["memory", "postgres"])
def keys(request: pytest.FixtureRequest, connection: PostgresConnection) -> IdempotencyKeys:
    return MemoryIdempotencyKeys(time.monotonic) if request.param == "memory" else PostgresIdempotencyKeys(connection)


def _claimed(keys: IdempotencyKeys, lease: float = LEASE) -> int:
    token = keys.claim(KEY, REQUEST, lease).token
    assert token is not None
    return token


def test_one_claims_and_the_others_learn_what_became_of_it(keys: IdempotencyKeys) -> None:
    token = _claimed(keys)
    waiting = keys.claim(KEY, REQUEST, LEASE)
    assert (waiting.token, waiting.same, waiting.answer) == (None, True, None)
    assert not keys.claim(KEY, OTHER, LEASE).same
    keys.keep(KEY, token, '{"written":3}')
    done = keys.claim(KEY, REQUEST, 0.0)
    assert (done.token, done.same, done.answer) == (None, True, '{"written":3}')
    assert not keys.claim(KEY, OTHER, 0.0).same


def test_what_was_given_back_is_claimed_anew_by_any_request(keys: IdempotencyKeys) -> None:
    keys.release(KEY, _claimed(keys))
    assert keys.claim(KEY, OTHER, LEASE).token is not None


def test_a_lease_that_is_over_is_taken_by_the_same_request_only(keys: IdempotencyKeys) -> None:
    first = _claimed(keys)
    time.sleep(0.02)
    assert not keys.claim(KEY, OTHER, 0.01).same
    second = _claimed(keys, 0.01)
    assert first != second
    keys.keep(KEY, first, "late")
    keys.release(KEY, first)
    assert keys.claim(KEY, REQUEST, LEASE).answer is None
    keys.keep(KEY, second, "second")
    keys.release(KEY, second)
    assert keys.claim(KEY, REQUEST, LEASE).answer == "second", "what is answered is not given back"


def test_old_ones_are_forgotten(keys: IdempotencyKeys) -> None:
    keys.keep(KEY, _claimed(keys), "{}")
    assert keys.prune(60) == 0
    time.sleep(0.02)
    assert keys.prune(0.01) == 1
    assert keys.prune(0.01) == 0
    _claimed(keys)


def test_of_many_at_once_one_claims(database: Database, connection: PostgresConnection) -> None:
    barrier = threading.Barrier(4)

    def race(round_: int) -> int:
        mine = database.connect()
        keys = PostgresIdempotencyKeys(mine)
        mine.query("select 1")
        won = 0
        for number in range(round_):
            barrier.wait(20)
            won += keys.claim(number.to_bytes(32), REQUEST, LEASE).token is not None
        mine.close()
        return won

    with ThreadPoolExecutor(4) as road:
        assert sum(road.map(race, [50] * 4)) == 50
    assert connection.query("select count(*) from idempotency_keys") == [[50]]


def test_a_lost_postgres_claims_nothing(database: Database) -> None:
    away = PostgresConnection(database.address.__class__("127.0.0.1", 1, "u", "p", "d"), timeout=0.2)
    with pytest.raises(Unavailable):
        PostgresIdempotencyKeys(away).claim(KEY, REQUEST, LEASE)


def test_two_threads_with_one_key_write_once(database: Database, connection: PostgresConnection) -> None:
    barrier = threading.Barrier(2)
    writes: list[int] = []

    def write(number: int) -> tuple[int, bytes]:
        mine = database.connect()

        def route(_call: object) -> dict[str, object]:
            writes.append(number)
            return {"entity_id": "e-1", "written": 1}

        made = event(
            "PUT /v1/features/{entity_id}",
            b'{"features":{"a":1}}',
            scope=FEATURES,
            path={"entity_id": "e-1"},
            headers={"idempotency-key": "one"},
        )
        guarded = Once(PostgresIdempotencyKeys(mine), MemoryStore().store).guard(FEATURES, route)
        barrier.wait(20)
        deadline = time.monotonic() + 20
        while (answered := answer(made, guarded, lambda *_: None)).status == 409:
            assert time.monotonic() < deadline
        mine.close()
        return answered.status, answered.body

    with ThreadPoolExecutor(2) as road:
        answers = list(road.map(write, range(2)))
    assert answers == [(200, b'{"entity_id":"e-1","written":1}')] * 2
    assert len(writes) == 1
    assert "e-1" not in str(connection.query("select cast(t.* as text) from idempotency_keys t"))


DYING = """
import json, os, signal, sys
from ebb.http.doors import answer
from ebb.ports import FeatureUpdate
from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.idempotency import PostgresIdempotencyKeys
from lambdas.records.once import Once
from tests.fakes.stores import MemoryStore

told = json.load(sys.stdin)
connection = PostgresConnection(PostgresAddress(**told["address"]))

def route(call):
    PostgresFeatures(connection).merge([FeatureUpdate("dying", {"a": 1}, 1.7e9)])
    os.kill(os.getpid(), signal.SIGKILL)

once = Once(PostgresIdempotencyKeys(connection), MemoryStore().store)
answer(told["event"], once.guard("features:write", route), print)
"""


def test_killed_between_the_write_and_its_answer_it_is_done_again_after_the_lease(
    database: Database, connection: PostgresConnection
) -> None:
    made = event(
        "PUT /v1/features/{entity_id}",
        b'{"features":{"a":1}}',
        scope=FEATURES,
        path={"entity_id": "dying"},
        headers={"idempotency-key": "dying"},
    )
    told = orjson.dumps({"address": vars(database.address), "event": made})
    killed = subprocess.run(
        [sys.executable, "-c", DYING], input=told, capture_output=True, check=False, timeout=60, cwd=ROOT
    )
    assert killed.returncode == -9, killed.stderr
    features = PostgresFeatures(connection)
    assert features.read("dying") is not None, "it died after the write"
    done: list[str] = []

    def route(_call: object) -> dict[str, object]:
        done.append("again")
        return {"entity_id": "dying", "written": 1}

    keys = PostgresIdempotencyKeys(connection)
    assert answer(made, Once(keys, MemoryStore().store).guard(FEATURES, route), print).status == 409
    time.sleep(0.02)
    impatient = Once(keys, MemoryStore().store, lease=0.01).guard(FEATURES, route)
    assert answer(made, impatient, print).status == 200
    replayed = answer(made, impatient, print)
    assert replayed.headers["idempotency-replayed"] == "true"
    assert json.loads(replayed.body) == {"entity_id": "dying", "written": 1}
    assert done == ["again"]


def test_pruning_takes_some_at_a_time(connection: PostgresConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebb.postgres.idempotency.PRUNED_AT_ONCE", 10)
    connection.query(
        "insert into idempotency_keys (key, request, token, claimed_at)"
        " select decode(lpad(to_hex(n), 64, '0'), 'hex'), '', 0, now() - interval '25 hours'"
        " from generate_series(1, 25) n"
    )
    keys = PostgresIdempotencyKeys(connection)
    assert [keys.prune(86_400) for _ in range(4)] == [10, 10, 5, 0]
