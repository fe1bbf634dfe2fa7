"""Reads that do not wait for one slow server (Dean and Barroso, "The Tail at Scale", CACM 2013)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ebb.errors import Unavailable
from ebb.ports import Signals
from ebb.resilience.breaker import State
from ebb.resilience.budget import ShareBudget
from ebb.resilience.hedge_delay import HedgeDelay
from ebb.valkey.exchange import ask, exchange, judged, last_chance, overdue, replies_by
from ebb.valkey.link import Link, Request, first_to_answer
from ebb.valkey.refusal import FAILURES
from ebb.valkey.server import Server

_EXTRA_SHARE, _EXTRA_BURST = 0.05, 5.0
_LEFT_ALONE = "Valkey does not answer (left alone after failures); it is asked again within a second."


@dataclass(frozen=True)
class Replies:
    """What came, and whether the replica sent it."""

    values: list[Any]
    hedged: bool


class Reads:
    """Asks the primary, and a replica where the primary is slow, fails or is left alone.

    Args:
        primary: decides; its replies are complete.
        replica: answers reads only; None where there is none.
        connect_seconds: what the primary may take to connect, when that is longer than the hedge's delay.
        signals: takes `hedge_sent` and `hedge_denied` (no token was left).
        delay: after which the replica is asked; None for one of short reads.
    """

    def __init__(
        self,
        primary: Server,
        replica: Server | None,
        *,
        connect_seconds: float = 0.0,
        signals: Signals,
        delay: HedgeDelay | None = None,
    ) -> None:
        self._primary, self._replica = primary, replica
        self._connect_seconds, self._signals = connect_seconds, signals
        self.delay, self._budget = delay or HedgeDelay(), ShareBudget(_EXTRA_SHARE, _EXTRA_BURST)

    def read(self, whole: Request, plain: Callable[[], Request], deadline: float) -> Replies:
        """Return the first replies that come before `deadline`, a moment of `time.monotonic`.

        Args:
            whole: for the primary.
            plain: makes the request for the replica.
            deadline: connecting included.

        Raises:
            Unavailable: nobody answered.
        """
        for server in (self._primary, self._replica):
            if server is not None:
                server.drain()
        if not self._primary.breaker.allows():
            return self._instead(plain, deadline, Unavailable(_LEFT_ALONE))
        if self._replica is None:
            return Replies(exchange(self._primary, whole, deadline), hedged=False)
        began = time.monotonic()
        # What asks a server that was left alone must not wait for it: the replica would have been asked anyway.
        probing = self._primary.breaker.state is State.HALF_OPEN
        self._budget.called()
        hedge_at = began + self.delay.seconds
        try:
            link = ask(self._primary, whole, max(hedge_at, began + self._connect_seconds))
            quick = replies_by(self._primary, link, hedge_at)
        except Unavailable as error:
            return self._instead(plain, deadline, error)
        if quick is not None:
            replies = Replies(quick, hedged=False)
        elif self._may_hedge(self._replica, probing=probing):
            replies = self._race(link, self._replica, plain(), deadline)
        else:
            replies = Replies(last_chance(self._primary, link, deadline), hedged=False)
        self.delay.note(time.monotonic() - began)
        return replies

    def _instead(self, plain: Callable[[], Request], deadline: float, error: Unavailable) -> Replies:
        """Ask the replica in the primary's place, which is no extra read."""
        if self._replica is None or not self._replica.breaker.allows():
            raise error
        return Replies(exchange(self._replica, plain(), deadline), hedged=True)

    def _may_hedge(self, replica: Server, *, probing: bool) -> bool:
        if probing or self._budget.take():
            return replica.breaker.allows()
        self._signals.count("hedge_denied")
        return False

    def _race(self, link: Link, replica: Server, plain: Request, deadline: float) -> Replies:
        self._signals.count("hedge_sent")
        try:
            other = ask(replica, plain, deadline)
        except Unavailable:
            return Replies(last_chance(self._primary, link, deadline), hedged=False)
        racing = {link: self._primary, other: replica}
        error = Unavailable(_LEFT_ALONE)
        while racing:
            ready = first_to_answer(list(racing), deadline)
            if not ready:
                break
            for runner in ready:
                server = racing[runner]
                try:
                    values = _arrived(server, runner)
                except Unavailable as lost:
                    error = lost
                    del racing[runner]
                    continue
                if values is not None:
                    del racing[runner]
                    _retire(racing, beaten=server is replica)
                    return Replies(values, hedged=server is replica)
        for runner, server in racing.items():
            error = overdue(server, runner)
        raise error


def _retire(racing: dict[Link, Server], *, beaten: bool) -> None:
    for runner, server in racing.items():
        if beaten:
            overdue(server, runner)
        else:
            server.park(runner)


def _arrived(server: Server, link: Link) -> list[Any] | None:
    try:
        complete = link.collect()
    except FAILURES as error:
        link.close()
        raise server.failed(error) from None
    return judged(server, link) if complete else None
