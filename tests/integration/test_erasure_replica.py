"""An erasure where a replica answers in the primary's place: nothing is promised before it has followed."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ebb.connect import connect_fast
from ebb.metrics import Silent
from ebb.ports import Access
from ebb.postgres.subjects import PostgresSubjects
from ebb.store.refill import refill
from ebb.store.subjects import Subjects
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.refilled import ValkeyRefilled
from tests.real_stores import RealStores, until, update

WHO = "subject"
ACCESS = Access(1_800_000_000.5, "acme", "erase", "c-1")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RealStores]:
    running = RealStores(tmp_path, with_replica=True)
    try:
        yield running
    finally:
        running.end()


def test_an_erasure_is_pending_until_the_replica_has_followed(servers: RealStores) -> None:
    assert servers.replica is not None
    fast = connect_fast(servers.settings, Silent())
    subjects = Subjects(PostgresSubjects(servers.connection()), fast)
    servers.writer().write([update(WHO, 1.0, time.time() - 9)])
    with redis.Redis(port=servers.replica.port) as replica:
        until(lambda: replica.exists(f"f:{WHO}") == 1)
        replica.replicaof("127.0.0.1", 1)  # its link is lost; it goes on answering
        pending = subjects.erase(WHO, ACCESS).document(time.time())
        assert (pending["fast_tier"], pending["caches_clear_at"]) == ("pending", None)
        assert b'"v"' in replica.get(f"f:{WHO}")
        replica.replicaof("127.0.0.1", servers.valkey.port)
        until(lambda: replica.info("replication")["master_link_status"] == "up")
        erased = subjects.erase(WHO, ACCESS).document(time.time())
        # No moment later than the answer: whoever the replica is promoted by finds the tombstone.
        assert replica.get(f"f:{WHO}")[16:].startswith(b'{"e"')
    assert erased["fast_tier"] == "erased"
    assert erased["caches_clear_at"] > time.time() + 50
    fast.close()


def test_a_replica_that_was_promoted_before_it_had_followed_is_told_all_anew(servers: RealStores) -> None:
    assert servers.replica is not None
    durable, people = servers.durable(), [f"e-{number}" for number in range(20)]
    servers.writer().write([update(who, 1.0, time.time() - 9) for who in people])
    fast = connect_fast(servers.settings, Silent())
    before = ValkeyRefilled(ValkeyAddress("127.0.0.1", servers.valkey.port), seconds=1.0)
    assert (before.position(), before.again()) == ("", False)
    before.keep(None)
    assert before.position() is None
    with redis.Redis(port=servers.replica.port) as replica:
        until(lambda: replica.dbsize() == len(people) + 1)
        replica.replicaof("127.0.0.1", 1)  # its link is lost
    Subjects(PostgresSubjects(servers.connection()), fast).erase(people[0], ACCESS)
    servers.writer().write([update(who, 2.0, time.time() - 5) for who in people[1:]])
    fast.close()
    servers.fail_over()
    servers.valkey.promote()
    fast = connect_fast(servers.settings, Silent())
    after = ValkeyRefilled(ValkeyAddress("127.0.0.1", servers.valkey.port), seconds=1.0)
    assert fast.held(people) != durable.read_many(people)
    assert (after.position(), after.again()) == ("", True)
    after.keep(refill(durable, fast, "", lambda: True, tombstones=True).after or None)
    assert (after.position(), after.again()) == (None, False)
    assert fast.held(people) == durable.read_many(people)
    for tier in (before, after, fast):
        tier.close()
