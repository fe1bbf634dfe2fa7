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
from ebb.store.subjects import Subjects
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
