"""What one question sends, packed by hand: it is sent for each prediction, and nearly all of it is known before."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ebb.plans import Plans
from ebb.valkey.link import Request
from ebb.valkey.scripts import ASK, HOT_KEY, ROUTING_KEY, limit_key, quota_key, record_key

_CLIENTS = 1_024
"""Whose parts are kept packed."""


class _Parts(NamedTuple):
    """The packed parts of a client's script, between which keys and counts stand.

    Attributes:
        entity: before an entity's key.
        lives: between the key and the entity.
        counted: before the count of a question about nobody in particular.
        limits: after the count.
    """

    entity: bytes
    lives: bytes
    counted: bytes
    limits: bytes


class Questions:
    """Packs the commands of a read.

    Args:
        plans: what each client may ask; None for no limit.
        ttl: seconds that a record is kept.
        refresh: seconds after which a hot record's life begins anew.
    """

    def __init__(self, plans: Plans | None, ttl: float, refresh: float) -> None:
        self._plans = plans
        self._lives = _packed(f"{ttl * 1000:.0f}", f"{refresh * 1000:.0f}")
        self._parts = lru_cache(_CLIENTS)(self._packed_parts)

    def of_one(self, entity_id: str, client: str) -> Request:
        """Return the whole question about one entity: script, record, its life, routing version."""
        parts, entity, key = self._parts(client), _packed(entity_id), _packed(record_key(entity_id))
        return Request(b"".join((parts.entity, key, parts.lives, entity, _GET, key, _PTTL, key, _ROUTING)), 4)

    def of_many(self, entity_ids: Sequence[str], client: str) -> Request:
        """Return the whole question about many: script, records, their lives, routing version."""
        plain = of_many_to_replica(entity_ids)
        return Request(self.of_nobody(client, len(entity_ids)).packed + plain.packed, plain.replies + 1)

    def of_nobody(self, client: str, cost: int) -> Request:
        """Return the question whether a client may ask so often, for nobody's record."""
        parts = self._parts(client)
        return Request(b"".join((parts.counted, _packed(str(cost)), parts.limits)), 1)

    def _packed_parts(self, client: str) -> _Parts:
        keys = (limit_key(client), quota_key(client))
        step, tolerance, daily = "0", "0", "-1"
        if self._plans is not None:
            plan = self._plans.of(client)
            step, tolerance = f"{plan.step * 1e6:.3f}", f"{plan.tolerance * 1e6:.3f}"
            daily = str(-1 if plan.daily is None else plan.daily)
        limits = _packed(step, tolerance, daily)
        entity = b"*14\r\n" + _packed("EVALSHA", ASK.sha, "4", *keys)
        counted = b"*9\r\n" + _packed("EVALSHA", ASK.sha, "2", *keys)
        return _Parts(entity, _packed(HOT_KEY, "1") + limits + self._lives, counted, limits)


def with_script(request: Request) -> Request:
    """Return the same question, which loads the script first; the first reply is of no interest."""
    return Request(_LOAD + request.packed, request.replies + 1)


def of_one_to_replica(entity_id: str) -> Request:
    """Return the question about one entity without the script, which writes."""
    key = _packed(record_key(entity_id))
    return Request(b"".join((_GET, key, _PTTL, key, _ROUTING)), 3)


def of_many_to_replica(entity_ids: Sequence[str]) -> Request:
    """Return the question about many without the script."""
    keys = [_packed(record_key(entity_id)) for entity_id in entity_ids]
    lives = (_PTTL + key for key in keys)
    packed = b"".join((b"*%d\r\n" % (len(keys) + 1), _packed("MGET"), *keys, *lives, _ROUTING))
    return Request(packed, len(keys) + 2)


def _packed(*words: str) -> bytes:
    """Pack words as they stand in a command of the protocol RESP."""
    encoded = [word.encode() for word in words]
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded])


_GET, _PTTL = (b"*2\r\n" + _packed(name) for name in ("GET", "PTTL"))
_ROUTING = _GET + _packed(ROUTING_KEY)
_LOAD = b"*3\r\n" + _packed("SCRIPT", "LOAD", ASK.text)
