"""Writes to the fast tier."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from redis.exceptions import NoScriptError

from ebb.errors import Unavailable
from ebb.resilience.breaker import Breaker
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.connection import make_client, named
from ebb.valkey.refusal import FAILURES, unavailable
from ebb.valkey.scripts import ANNOUNCE, DIGITS, HOT_KEY, PUT, ROUTING_KEY, record_key

_RECORDS_A_SCRIPT = 64
"""So few that no read waits for long behind one."""

_REPLICA_MILLISECONDS = 200
"""To wait until a replica holds what was written."""

StoredJson = tuple[str, int, bytes]
"""An entity, its version and its record's JSON."""


class Writer:
    """Puts records into the primary.

    Args:
        address: of the primary.
        breaker: of the same server.
        seconds: for a connection, and for an answer.
        ttl: seconds that a record is kept.
    """

    def __init__(self, address: ValkeyAddress, breaker: Breaker, *, seconds: float, ttl: float) -> None:
        self._breaker, self._life = breaker, f"{ttl * 1000:.0f}"
        self._client = make_client(address, seconds)

    def put_json(self, records: Iterable[StoredJson], *, replicas: int = 0) -> bool:
        """Hold records, unless a higher version is held.

        Args:
            records: to hold.
            replicas: that are to hold them too; no longer waited for than `_REPLICA_MILLISECONDS`.

        Returns:
            Whether so many replicas do.

        Raises:
            Unavailable: the server does not answer; some of the records may be held.
        """
        batch = list(records)
        if not batch:
            return True
        if not self._breaker.allows():
            raise Unavailable("Valkey does not answer (left alone after failures); its records are repaired later.")
        try:
            following = self._send_with_script(batch, replicas)
        except FAILURES as error:
            meaning = unavailable(error)
            self._breaker.failed(timeout=meaning.timeout)
            if not meaning.timeout:
                # An older record must not go on answering: forgotten, it is read from the durable tier.
                with suppress(*FAILURES):
                    self._client.delete(*(record_key(entity_id) for entity_id, _, _ in batch))
            raise meaning from None
        self._breaker.succeeded()
        return following >= replicas

    def announce_routing(self, version: int) -> None:
        """State the newest version of the routing table; a lower one than is known changes nothing.

        Raises:
            Unavailable: the server does not answer.
        """
        with named():
            self._client.eval(ANNOUNCE.text, 1, ROUTING_KEY, version)

    def close(self) -> None:
        """Close all connections."""
        self._client.connection_pool.disconnect()

    def _send_with_script(self, batch: Sequence[StoredJson], replicas: int) -> int:
        try:
            return self._send(batch, replicas)
        except NoScriptError:  # the first write, or the first after a restart of the server
            self._client.script_load(PUT.text)
            return self._send(batch, replicas)

    def _send(self, batch: Sequence[StoredJson], replicas: int) -> int:
        """Send the records, and return how many of the wanted replicas hold them."""
        pipeline = self._client.pipeline(transaction=False)
        for start in range(0, len(batch), _RECORDS_A_SCRIPT):
            part = batch[start : start + _RECORDS_A_SCRIPT]
            keys = [HOT_KEY, *(record_key(entity_id) for entity_id, _, _ in part)]
            blobs = [b"%0*d%b" % (DIGITS, version, content) for _, version, content in part]
            pipeline.evalsha(PUT.sha, len(keys), *keys, self._life, *blobs)
        if replicas:
            pipeline.wait(replicas, _REPLICA_MILLISECONDS)  # for the writes of this very connection
        replies = pipeline.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return int(replies[-1]) if replicas else 0
