"""The feature store: the fast tier in front of the durable one, and what was last known behind both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ebb.errors import RateLimited, Unavailable
from ebb.plans import Allowance
from ebb.ports import DurableTier, FastAnswer, FastAnswers, FastTier, FeatureRecord, FeatureUpdate, Signals
from ebb.resilience.rate_limit import RateLimiter
from ebb.store.behind import AWAY, BUSY, Asked, Behind, Sought
from ebb.store.fallback import DurableFallback
from ebb.store.last_known import LastKnown
from ebb.store.reading import FAST, NOTHING, Reading

__all__ = ["AWAY", "BUSY", "FeatureStore"]


class FeatureStore:
    """Reads the fast tier first and writes the durable one first.

    Args:
        fast: answers in well under a millisecond, may forget.
        durable: decides which value is the newest.
        fallback: the road to the same durable tier for reads.
        cache: what was last known, used only when no tier can say.
        limiter: knows the clients' plans, and decides while the fast tier cannot.
        signals: takes `read_TIER` for every read, `rate_limited` for every request that is refused, `quota_unknown`
            for every one that is admitted though nobody can count its quota, and `repair_left` for every write that
            the fast tier missed.
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
        self._fast, self._durable, self._behind = fast, durable, Behind(fast, fallback, cache)
        self._cache, self._limiter, self._signals = cache, limiter, signals

    def read(self, entity_id: str, client: str, ttls: Mapping[str, float]) -> Reading:
        """Return what is held of one entity, and count one request of the client.

        What the fast tier lacks is read from the durable one and put back. Never raises for a lost server.

        Args:
            entity_id: whom.
            client: who asks.
            ttls: seconds that the fast tier keeps a feature, for those that have a limit.
        """
        answer: FastAnswer | None = None
        with suppress(Unavailable):
            answer = self._fast.ask(entity_id, client)
        asked = self._asked(answer, client, 1)
        if asked.allowance.wait:
            return asked.nothing()
        first = self._in_front(entity_id, answer.record, answer.since_put, ttls, asked) if answer else Sought(entity_id)
        reading = self._behind.read([first], asked)[0] if isinstance(first, Sought) else first
        self._signals.count(f"read_{reading.tier}")
        return reading

    def read_many(self, entity_ids: Sequence[str], client: str, ttls: Mapping[str, float]) -> list[Reading]:
        """Return what `read` would of each, in their order, and count as many requests of the client.

        All are admitted, or none. One question to the fast tier, and at most one query to the durable one, which takes
        one token of its budget.

        Args:
            entity_ids: whom; one that stands twice is read and counted twice.
            client: who asks.
            ttls: see `read`.
        """
        if not entity_ids:
            return []
        answers: FastAnswers | None = None
        with suppress(Unavailable):
            answers = self._fast.ask_many(entity_ids, client)
        asked = self._asked(answers, client, len(entity_ids))
        if asked.allowance.wait:
            return [asked.nothing() for _ in entity_ids]
        if answers is None:
            readings = self._behind.read([Sought(entity_id) for entity_id in entity_ids], asked)
        else:
            readings = self._of_each(entity_ids, answers, ttls, asked)
        for tier, reads in Counter(reading.tier for reading in readings).items():
            self._signals.count(f"read_{tier}", reads)
        return readings

    def admit(self, client: str, cost: int) -> Allowance:
        """Count so many requests of the client that read nobody, such as writes; never raises for a lost server."""
        allowance: Allowance | None = None
        with suppress(Unavailable):
            allowance = self._fast.admit(client, cost)
        return self._decided(allowance, client, cost)

    def refusal(self, client: str, allowance: Allowance) -> RateLimited:
        """Return the error that tells a client of an allowance that says no."""
        return self._limiter.plans.of(client).refusal(allowance)

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

    def _asked(self, answer: FastAnswer | FastAnswers | None, client: str, cost: int) -> Asked:
        if answer is None:
            return Asked(self._decided(None, client, cost), answered=False)
        if answer.hedged:
            self._signals.count("hedge_won")
        return Asked(self._decided(answer.allowance, client, cost), answer.routing, answer.hedged)

    def _decided(self, allowance: Allowance | None, client: str, cost: int) -> Allowance:
        """Return what the fast tier decided, or decide here."""
        if allowance is None:
            allowance = self._limiter.take(client, cost)
            if not allowance.wait and self._limiter.plans.of(client).daily is not None:
                self._signals.count("quota_unknown", cost)
        if allowance.wait:
            self._signals.count("rate_limited")
        return allowance

    def _of_each(
        self, entity_ids: Sequence[str], answers: FastAnswers, ttls: Mapping[str, float], asked: Asked
    ) -> list[Reading]:
        first = [
            self._in_front(entity_id, record, since_put, ttls, asked)
            for entity_id, record, since_put in zip(entity_ids, answers.records, answers.since_put, strict=True)
        ]
        sought = [one for one in first if isinstance(one, Sought)]
        behind = iter(self._behind.read(sought, asked) if sought else ())
        return [next(behind) if isinstance(one, Sought) else one for one in first]

    def _in_front(
        self, entity_id: str, record: FeatureRecord | None, since_put: float, ttls: Mapping[str, float], asked: Asked
    ) -> Reading | Sought:
        """Return what the fast tier said, or what must be sought behind it."""
        if record is None:
            return Sought(entity_id)
        if record.is_tombstone:
            self._cache.forget(entity_id)
            return asked.reading(None, FAST)
        expired = _expired(record, since_put, ttls) if ttls else NOTHING
        if expired:
            return Sought(entity_id, record, expired)
        self._cache.keep(entity_id, record)
        return asked.reading(record, FAST)


def _expired(record: FeatureRecord, since_put: float, ttls: Mapping[str, float]) -> frozenset[str]:
    if since_put <= min(ttls.values()):
        return NOTHING
    return frozenset(name for name in record.values if ttls.get(name, since_put) < since_put)
