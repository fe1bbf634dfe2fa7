"""What lies behind the fast tier: the durable one, and what was last known where that cannot be asked."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.plans import Allowance
from ebb.ports import FastWriter, FeatureRecord
from ebb.store.fallback import Busy, DurableFallback
from ebb.store.last_known import LastKnown
from ebb.store.reading import CACHE, DURABLE, FAST, NOTHING, Reading

AWAY = "the feature store does not answer"
BUSY = "the feature store is busy"


@dataclass(slots=True)
class Asked:
    """What one question to the fast tier said for all entities alike.

    Attributes:
        allowance: what the client may still ask, whoever decided.
        routing: version of the routing table.
        hedged: whether the replica answered.
        answered: whether any server of the tier did.
    """

    allowance: Allowance
    routing: int = 0
    hedged: bool = False
    answered: bool = True

    def reading(
        self,
        record: FeatureRecord | None,
        tier: str,
        expired: frozenset[str] = NOTHING,
    ) -> Reading:
        """Return a reading that says the same."""
        return Reading(record, tier, "", expired, self.allowance, self.routing, self.hedged)

    def nothing(self, trouble: str = "") -> Reading:
        """Return a reading without any value."""
        return Reading(trouble=trouble, allowance=self.allowance, routing=self.routing, hedged=self.hedged)


@dataclass(slots=True)
class Sought:
    """An entity whose record the fast tier lacks, or holds with values that have left it.

    Attributes:
        entity_id: whom.
        held: what the fast tier holds of it.
        expired: features of `held` that have left the fast tier.
    """

    entity_id: str
    held: FeatureRecord | None = None
    expired: frozenset[str] = NOTHING


class Behind:
    """Reads the durable tier, and puts back what the fast one lacked.

    Args:
        fast: is told what it lacked.
        fallback: the road to the durable tier.
        cache: what was last known.
    """

    def __init__(self, fast: FastWriter, fallback: DurableFallback, cache: LastKnown) -> None:
        self._fast, self._fallback, self._cache = fast, fallback, cache

    def read(self, sought: Sequence[Sought], asked: Asked) -> list[Reading]:
        """Return what can be said of each; one query for all of them."""
        known = [self._cache.get(one.entity_id) for one in sought]
        try:
            may_probe = any(record is None for record in known)
            found = self._fallback.read([one.entity_id for one in sought], may_probe=may_probe)
        except Unavailable as error:
            trouble = BUSY if isinstance(error, Busy) else AWAY
            return [_last(one, record, trouble, asked) for one, record in zip(sought, known, strict=True)]
        for entity_id, record in found.items():
            self._cache.keep(entity_id, record)
        if asked.answered and found:
            with suppress(Unavailable):
                self._fast.put(found)
        return [_said(found.get(one.entity_id), asked) for one in sought]


def _said(record: FeatureRecord | None, asked: Asked) -> Reading:
    if record is None:
        return asked.nothing()
    return asked.reading(None if record.is_tombstone else record, DURABLE)


def _last(one: Sought, known: FeatureRecord | None, trouble: str, asked: Asked) -> Reading:
    """Return what stands where the durable tier cannot be asked: what the fast one just said, then the cache."""
    if one.held is not None:
        return asked.reading(one.held, FAST, one.expired)
    return asked.nothing(trouble) if known is None else asked.reading(known, CACHE)
