"""The fast tier: Valkey, by the connections of the synchronous `redis` client."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from ebb.errors import Unavailable
from ebb.login import Logins
from ebb.metrics import Silent
from ebb.plans import Allowance, Plans
from ebb.ports import FastAnswer, FastAnswers, FeatureRecord, Signals
from ebb.record_json import record_to_json
from ebb.resilience.breaker import Breaker
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.asking import Asking
from ebb.valkey.holdings import Holdings
from ebb.valkey.server import Server
from ebb.valkey.writer import StoredJson, Writer

YEAR = 365 * 86_400.0
"""Seconds that a record is kept where no feature says less."""

_WRITE_SECONDS = 0.5
"""A write of many records may take longer than a read."""

_INTERVAL = 1.0


class ValkeyFeatures:
    """A `FastTier` in Valkey, with or without a replica.

    One question is one round trip: rate limit, record, its life and the routing version. With a replica, a slow or
    lost primary costs no more than the hedge's delay. Connections open with the first use, or with `warm`.

    Args:
        host, port: where the primary listens.
        replica_host, replica_port: where a replica of it listens; None where there is none.
        username, password: when the servers ask for them.
        logins: gives each new connection both, in the place of fixed ones; None for those.
        tls: encrypts connections, and trusts certificates, by this context; None for plain ones.
        timeout: seconds for a read, connecting included.
        ttl: seconds that a record is kept after it was put; None for a year.
        shortest_ttl: seconds of the feature that leaves the fast tier first; None for `ttl`. A hot record's life
            begins anew when half of this is over.
        plans: what each client may ask; None for no limit.
        signals: takes the breakers' states and what becomes of hedges.
        interval: seconds that a server is left alone after failures.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        replica_host: str | None = None,
        replica_port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        logins: Logins | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = 0.010,
        ttl: float | None = None,
        shortest_ttl: float | None = None,
        plans: Plans | None = None,
        signals: Signals | None = None,
        interval: float = _INTERVAL,
    ) -> None:
        signals = signals or Silent()
        ttl = ttl or YEAR
        address = ValkeyAddress(host, port, username, password, tls, logins)
        breaker = Breaker("valkey", signals, interval=interval)
        self._servers = [Server(address, breaker, timeout)]
        replica: Server | None = None
        if replica_port is not None:
            replica_at = replace(address, host=replica_host or host, port=replica_port)
            replica = Server(replica_at, Breaker("valkey_replica", signals, interval=interval), timeout)
            self._servers.append(replica)
        self._asking = Asking(
            self._servers[0],
            replica,
            plans,
            timeout=timeout,
            ttl=ttl,
            refresh=min(shortest_ttl or ttl, ttl) / 2,
            # An encrypted connection takes several round trips, and would never be made within the shortest delay.
            connect_seconds=timeout / 2 if tls else 0.0,
            signals=signals,
        )
        calm = max(timeout, _WRITE_SECONDS)
        self._writer = Writer(address, breaker, seconds=calm, ttl=ttl)
        self._holdings = Holdings(address, seconds=calm)

    def ask(self, entity_id: str, client: str) -> FastAnswer:
        """Read one entity and count one request of the client, in one round trip; see `FastTier`.

        Raises:
            Unavailable: no server answers in time, or is asked because none has answered lately.
        """
        return self._asking.ask(entity_id, client)

    def ask_many(self, entity_ids: Sequence[str], client: str) -> FastAnswers:
        """Read many entities and count as many requests of the client, in one round trip; see `FastTier`.

        Raises:
            Unavailable: see `ask`.
        """
        return self._asking.ask_many(entity_ids, client)

    def admit(self, client: str, cost: int) -> Allowance:
        """Count so many requests of the client that read nobody; see `FastTier`.

        Raises:
            Unavailable: see `ask`.
        """
        return self._asking.admit(client, cost)

    def announce_routing(self, version: int) -> None:
        """State the newest version of the routing table; see `RoutingNews`.

        Raises:
            Unavailable: Valkey does not answer.
        """
        self._writer.announce_routing(version)

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """Hold these records, unless a higher version is already held; an equal one only lives longer.

        Raises:
            Unavailable: Valkey does not answer in time; some of the records may be held.
        """
        self.put_json((entity_id, r.version, record_to_json(r)) for entity_id, r in records.items())

    def put_json(self, records: Iterable[StoredJson]) -> None:
        """Hold records that are JSON already, as (entity_id, version, JSON), in one pipeline.

        Raises:
            Unavailable: see `put`.
        """
        self._writer.put_json(records)

    def put_everywhere(self, records: Mapping[str, FeatureRecord]) -> bool:
        """Put, and tell whether the replica holds the records too, where there is one.

        Raises:
            Unavailable: see `put`.
        """
        stored = ((entity_id, r.version, record_to_json(r)) for entity_id, r in records.items())
        return self._writer.put_json(stored, replicas=len(self._servers) - 1)

    def hot(self, limit: int) -> list[str]:
        """Return at most `limit` entities that are read often now, the hottest first.

        Raises:
            Unavailable: Valkey does not answer.
        """
        return self._holdings.hot(limit)

    def held(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        """Return the records of those that are held, tombstones too.

        Raises:
            Unavailable: Valkey does not answer.
        """
        return self._holdings.held(entity_ids)

    def scan(self, batch: int = 1_000) -> Iterator[list[str]]:
        """Yield the entities that are held, about `batch` at a time; one may come twice.

        Raises:
            Unavailable: Valkey does not answer.
        """
        return self._holdings.scan(batch)

    def warm(self, seconds: float = 0.2) -> None:
        """Open connections ahead of the first request; a server that is away is met by the requests."""
        for server in self._servers:
            with suppress(Unavailable):
                server.warm(time.monotonic() + seconds)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._asking.close()
        self._writer.close()
        self._holdings.close()
