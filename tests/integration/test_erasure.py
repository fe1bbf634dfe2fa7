"""An erasure on real servers: nothing of the subject is left in either tier, and nothing from before comes back."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from ebb.connect import CALM, connect_fast, connect_postgres
from ebb.metrics import Silent
from ebb.ports import Access, FeatureRecord, FeatureUpdate
from ebb.postgres.count import count_subjects
from ebb.postgres.subjects import PostgresSubjects
from ebb.store.repair import drain, refill
from ebb.store.subjects import AGREES, AWAY, Subjects
from ebb.valkey.features import ValkeyFeatures
from ebb.valkey.link import Address
from ebb.valkey.refilled import KEY, ValkeyRefilled
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
    erased = subjects.erase(WHO, ACCESS)
    assert not erased.fast_pending
    assert abs(erased.erased_at - time.time()) < 60
    assert CANARY.encode() not in in_valkey(servers.valkey.port)
    assert CANARY not in _rows(servers)
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
        assert erased.document()["fast_tier"] == "pending"
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
    refilled = ValkeyRefilled(Address("127.0.0.1", servers.valkey.port), seconds=2.0)
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
    assert refilled.size() == len(others) + 1  # and the key of the position
    with redis.Redis(port=servers.valkey.port) as valkey:
        valkey.set(KEY, b"garbage")
    assert refilled.position() == ""
    for tier in (refilled, fast, durable, connection):
        tier.close()
