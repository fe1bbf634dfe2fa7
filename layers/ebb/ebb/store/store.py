"""The feature store: the fast tier in front of the durable one, and what was last known behind both."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from ebb.errors import Unavailable
from ebb.ports import DurableTier, FastAnswer, FastTier, FeatureRecord, FeatureUpdate, Signals
from ebb.resilience.rate_limit import RateLimiter
from ebb.store.fallback import Busy, DurableFallback
from ebb.store.last_known import LastKnown
from ebb.store.reading import CACHE, DURABLE, FAST, Reading

AWAY = "the feature store does not answer"
BUSY = "the feature store is busy"


class FeatureStore:
    """Reads the fast tier first and writes the durable one first.

    Args:
        fast: answers in well under a millisecond, may forget.
        durable: decides which value is the newest.
        fallback: the road to the same durable tier for reads.
        cache: what was last known, used only when no tier can say.
        limiter: decides for each client while the fast tier cannot.
        signals: takes `read_TIER` for every read, and `repair_left` for every write that the fast tier missed.
    """

    def __init__(
        self,
        fast: FastTier,
        durable: DurableTier,
        *,
        fallback: DurableFallback,
        cache: LastKnown,
        limiter: RateLimiter,
        signals: Signals,
    ) -> None:
        self._fast, self._durable, self._fallback = fast, durable, fallback
        self._cache, self._limiter, self._signals = cache, limiter, signals

    def read(self, entity_id: str, client: str, ttls: Mapping[str, float]) -> Reading:
        """Return what is held of one entity, and count one request of the client.

        What the fast tier lacks is read from the durable one and put back. Never raises for a lost server.

        Args:
            entity_id: whom.
            client: who asks.
            ttls: seconds that the fast tier keeps a feature, for those that have a limit.
        """
        reading = self._read(entity_id, client, ttls)
        if reading.wait:
            self._signals.count("rate_limited")
        else:
            self._signals.count(f"read_{reading.tier}")
        if reading.hedged:
            self._signals.count("hedge_won")
        return reading

    def write(self, updates: Sequence[FeatureUpdate]) -> Mapping[str, FeatureRecord]:
        """Merge updates into the durable tier, then renew the fast one; that one missing it is repaired later.

        Returns:
            The records as they now stand, by entity.

        Raises:
            Unavailable: the durable tier does not answer; nothing was written.
        """
        merged = self._durable.merge(updates)
        try:
            self._fast.put(merged.records)
        except Unavailable:
            self._signals.count("repair_left")
            return merged.records
        with suppress(Unavailable):  # then the note stays, and is worked off once more
            self._durable.settle(merged.repair)
        return merged.records

    def _read(self, entity_id: str, client: str, ttls: Mapping[str, float]) -> Reading:
        try:
            answer = self._fast.ask(entity_id, client)
        except Unavailable:
            wait = self._limiter.take(client)
            return Reading(wait=wait) if wait else self._behind(entity_id, None)
        wait = self._limiter.take(client) if answer.wait is None else answer.wait
        if wait:
            return Reading(wait=wait, routing=answer.routing, hedged=answer.hedged)
        record = answer.record
        if record is None:
            return self._behind(entity_id, answer)
        if record.is_tombstone:
            self._cache.forget(entity_id)
            return Reading(tier=FAST, routing=answer.routing, hedged=answer.hedged)
        expired = _expired(record, answer.since_put, ttls)
        if expired:
            return self._renewed(entity_id, answer, record, expired)
        self._cache.keep(entity_id, record)
        return Reading(record, FAST, routing=answer.routing, hedged=answer.hedged)

    def _renewed(self, entity_id: str, answer: FastAnswer, record: FeatureRecord, expired: frozenset[str]) -> Reading:
        """Read the whole record anew; where that fails, the features that have not expired still stand."""
        reading = self._behind(entity_id, answer)
        if not reading.trouble and reading.tier != CACHE:  # the cache would hide what the fast tier just said
            return reading
        return Reading(record, FAST, expired=expired, routing=answer.routing, hedged=answer.hedged)

    def _behind(self, entity_id: str, answer: FastAnswer | None) -> Reading:
        """Read what lies behind the fast tier, which had nothing to say (`answer`) or did not answer (None)."""
        routing, hedged = (answer.routing, answer.hedged) if answer else (0, False)
        known = self._cache.get(entity_id)
        try:
            record = self._fallback.read(entity_id, may_probe=known is None)
        except Unavailable as error:
            if known is not None:
                return Reading(known, CACHE, routing=routing, hedged=hedged)
            return Reading(trouble=BUSY if isinstance(error, Busy) else AWAY, routing=routing, hedged=hedged)
        if record is None:
            return Reading(routing=routing, hedged=hedged)
        self._cache.keep(entity_id, record)
        if answer is not None:
            with suppress(Unavailable):
                self._fast.put({entity_id: record})
        if record.is_tombstone:
            return Reading(tier=DURABLE, routing=routing, hedged=hedged)
        return Reading(record, DURABLE, routing=routing, hedged=hedged)


def _expired(record: FeatureRecord, since_put: float, ttls: Mapping[str, float]) -> frozenset[str]:
    if not ttls or since_put <= min(ttls.values()):
        return frozenset()
    return frozenset(name for name in record.values if ttls.get(name, since_put) < since_put)
