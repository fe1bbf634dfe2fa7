"""Questions to the fast tier, each in one round trip, and their answers."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import TypeVar

from ebb.errors import Unavailable
from ebb.plans import Allowance, Plan, Plans
from ebb.ports import FastAnswer, FastAnswers, Signals
from ebb.resilience.hedge_delay import HedgeDelay
from ebb.valkey.answers import allowance, answer, answers, lacks_script
from ebb.valkey.hedge import Reads, Replies
from ebb.valkey.link import Request
from ebb.valkey.questions import Questions, of_many_to_replica, of_one_to_replica, with_script
from ebb.valkey.server import Server

_MANY_SECONDS = 0.100
"""A read of 1,000 entities may take longer than one of a single one: a thousand records are half a megabyte."""

_MANY_FLOOR, _MANY_CAP = 0.010, 0.050
"""Bounds of a hedge's delay for such a read."""

_Found = TypeVar("_Found", FastAnswer, FastAnswers)


class Asking:
    """Asks the primary, and where it is slow its replica.

    Args:
        primary: decides.
        replica: answers reads in its place; None where there is none.
        plans: what each client may ask; None for no limit.
        timeout: seconds for a read, connecting included.
        ttl: seconds that a record is kept.
        refresh: seconds after which a hot record's life begins anew.
        connect_seconds: see `Reads`.
        signals: see `Reads`.
    """

    def __init__(
        self,
        primary: Server,
        replica: Server | None,
        plans: Plans | None,
        *,
        timeout: float,
        ttl: float,
        refresh: float,
        connect_seconds: float,
        signals: Signals,
    ) -> None:
        self._servers = [primary] if replica is None else [primary, replica]
        self._plans, self._questions = plans, Questions(plans, ttl, refresh)
        self._timeout, self._ttl = timeout, ttl
        self._one = Reads(primary, replica, connect_seconds=connect_seconds, signals=signals)
        delay = HedgeDelay(_MANY_FLOOR, _MANY_CAP)
        self._many = Reads(primary, replica, connect_seconds=connect_seconds, signals=signals, delay=delay)
        self._nobody = Reads(primary, None, signals=signals)
        self._routing = 0
        self._lock = Lock()

    def ask(self, entity_id: str, client: str) -> FastAnswer:
        """See `FastTier.ask`."""
        whole = self._questions.of_one(entity_id, client)
        replies = self._replies(self._one, whole, partial(of_one_to_replica, entity_id), self._timeout)
        return self._newest(answer(replies.values, self._ttl, self._plan(client), hedged=replies.hedged))

    def ask_many(self, entity_ids: Sequence[str], client: str) -> FastAnswers:
        """See `FastTier.ask_many`."""
        whole = self._questions.of_many(entity_ids, client)
        seconds = max(self._timeout, _MANY_SECONDS)
        replies = self._replies(self._many, whole, partial(of_many_to_replica, entity_ids), seconds)
        plan = self._plan(client)
        return self._newest(answers(replies.values, len(entity_ids), self._ttl, plan, hedged=replies.hedged))

    def admit(self, client: str, cost: int) -> Allowance:
        """See `FastTier.admit`; only the primary can count."""
        whole = self._questions.of_nobody(client, cost)
        replies = self._replies(self._nobody, whole, lambda: whole, self._timeout)
        decided = allowance(replies.values[-1], self._plan(client))
        if decided is None:
            raise Unavailable("Valkey holds something else under the name of this client's limit")
        return decided

    def close(self) -> None:
        """Close all connections; the next question opens new ones."""
        with self._lock:
            for server in self._servers:
                server.close()

    def _plan(self, client: str) -> Plan | None:
        return None if self._plans is None else self._plans.of(client)

    def _replies(self, reads: Reads, whole: Request, plain: Callable[[], Request], seconds: float) -> Replies:
        with self._lock:  # answers of one connection belong to whoever asked last
            deadline = time.monotonic() + seconds
            replies = reads.read(whole, plain, deadline)
            if not replies.hedged and lacks_script(replies.values):
                replies = reads.read(with_script(whole), plain, deadline)
        return replies

    def _newest(self, found: _Found) -> _Found:
        """Give an answer the highest routing version seen: a replica may lag behind."""
        self._routing = found.routing = max(self._routing, found.routing)
        return found
