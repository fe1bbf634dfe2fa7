"""Encrypted connections to the fast tier, as ElastiCache wants them."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord
from ebb.valkey.features import ValkeyFeatures
from local.servers.valkey import Valkey
from tests.fakes.odd_server import saying
from tests.fakes.tls_door import certificate, tls_door
from tests.valkey_case import client


@dataclass(frozen=True)
class Door:
    """An encrypted door, and the context that trusts it."""

    port: int
    trusting: ssl.SSLContext


@pytest.fixture
def door(valkey_server: Valkey, tmp_path: Path) -> Iterator[Door]:
    certificate_path, key_path = certificate(tmp_path)
    with tls_door(valkey_server.port, certificate_path, key_path) as port:
        yield Door(port, ssl.create_default_context(cafile=str(certificate_path)))


def test_reads_and_writes_are_encrypted_small_and_large(door: Door) -> None:
    fast = ValkeyFeatures("127.0.0.1", door.port, replica_port=door.port, tls=door.trusting, timeout=2.0)
    for size in (1, 5_000, 200_000):
        record = FeatureRecord({"a": "x" * size}, {"a": 1.5e9}, size, "ab" * 16)
        fast.put({"tls": record})
        assert [fast.ask("tls", "c").record for _ in range(5)] == [record] * 5
        assert fast.held(["tls"]) == {"tls": record}
    fast.close()


def test_warm_connections_are_used_though_tickets_lie_on_them(door: Door, valkey_server: Valkey) -> None:
    fast = ValkeyFeatures("127.0.0.1", door.port, tls=door.trusting, timeout=2.0)
    fast.warm(2.0)
    time.sleep(0.05)  # whenever the tickets come, nothing else may open a connection
    with client(valkey_server) as valkey:
        opened = valkey.info("stats")["total_connections_received"]
        for _ in range(20):
            fast.ask("tls", "c")
        assert valkey.info("stats")["total_connections_received"] == opened
    fast.close()


def test_an_unknown_certificate_is_refused(door: Door) -> None:
    fast = ValkeyFeatures("127.0.0.1", door.port, tls=ssl.create_default_context(), timeout=2.0)
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        fast.ask("tls", "c")
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        fast.put({"tls": FeatureRecord({}, {}, 1, "", 1.0)})


def test_a_plain_client_gets_no_answer(door: Door) -> None:
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        ValkeyFeatures("127.0.0.1", door.port, timeout=0.5).ask("tls", "c")


def test_a_handshake_that_never_ends_costs_no_more_than_the_timeout(door: Door) -> None:
    with saying(b"\x16\x03\x03", 0.003) as port:
        fast = ValkeyFeatures("127.0.0.1", port, tls=door.trusting)
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(Unavailable, match="timeout") as error:
                fast.ask("tls", "c")
            assert error.value.timeout
            assert time.monotonic() - began < 0.010 + 0.1


def test_tickets_are_no_reply_also_where_the_library_lends_the_connection(door: Door) -> None:
    """Each writer opens its first connection, on which the server's tickets may lie before anything was asked."""
    record = FeatureRecord({"a": 1.0}, {"a": 1.5e9}, 1, "ab" * 16)
    for _ in range(40):
        fast = ValkeyFeatures("127.0.0.1", door.port, tls=door.trusting, timeout=5.0)
        fast.put({"ticket": record})
        assert fast.held(["ticket"]) == {"ticket": record}
        fast.close()
