"""The fast tier: Valkey, by the connections of the synchronous `redis` client."""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Lock

from ebb.errors import Unavailable
from ebb.metrics import Silent
from ebb.ports import FastAnswer, FeatureRecord, Signals
from ebb.record_json import record_to_json
from ebb.resilience.breaker import Breaker
from ebb.resilience.rate_limit import RateLimit
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.answers import Questions, answer, lacks_script
from ebb.valkey.hedge import Reads
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
        tls: encrypts connections, and trusts certificates, by this context; None for plain ones.
        timeout: seconds for a read, connecting included.
        ttl: seconds that a record is kept after it was put; None for a year.
        shortest_ttl: seconds of the feature that leaves the fast tier first; None for `ttl`. A hot record's life
            begins anew when half of this is over.
        limit: what each client may ask; None for no limit.
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
        tls: ssl.SSLContext | None = None,
        timeout: float = 0.010,
        ttl: float | None = None,
        shortest_ttl: float | None = None,
        limit: RateLimit | None = None,
        signals: Signals | None = None,
        interval: float = _INTERVAL,
    ) -> None:
        signals = signals or Silent()
        self._timeout, self._ttl = timeout, ttl or YEAR
        self._questions = Questions(limit, self._ttl, min(shortest_ttl or self._ttl, self._ttl) / 2)
        address = ValkeyAddress(host, port, username, password, tls)
        breaker = Breaker("valkey", signals, interval=interval)
        self._servers = [Server(address, breaker, timeout)]
        replica: Server | None = None
        if replica_port is not None:
            replica_at = replace(address, host=replica_host or host, port=replica_port)
            replica = Server(replica_at, Breaker("valkey_replica", signals, interval=interval), timeout)
            self._servers.append(replica)
        # An encrypted connection takes several round trips, and would never be made within the shortest delay.
        self._reads = Reads(self._servers[0], replica, connect_seconds=timeout / 2 if tls else 0.0, signals=signals)
        calm = max(timeout, _WRITE_SECONDS)
        self._writer = Writer(address, breaker, seconds=calm, ttl=self._ttl)
        self._holdings = Holdings(address, seconds=calm)
        self._routing = 0
        self._lock = Lock()

    def ask(self, entity_id: str, client: str) -> FastAnswer:
        """Read one entity and count one request of the client, in one round trip; see `FastTier`.

        Raises:
            Unavailable: no server answers in time, or is asked because none has answered lately.
        """
        plain = partial(self._questions.to_replica, entity_id)
        with self._lock:  # answers of one connection belong to whoever asked last
            deadline = time.monotonic() + self._timeout
            replies = self._reads.read(self._questions.to_primary(entity_id, client), plain, deadline)
            if not replies.hedged and lacks_script(replies.values):
                replies = self._reads.read(self._questions.with_script(entity_id, client), plain, deadline)
        found = answer(replies.values, self._ttl, hedged=replies.hedged)
        # A replica may lag behind: the highest version seen applies.
        self._routing = max(self._routing, found.routing)
        return found if found.routing == self._routing else replace(found, routing=self._routing)

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
        with self._lock:
            for server in self._servers:
                server.close()
        self._writer.close()
        self._holdings.close()
