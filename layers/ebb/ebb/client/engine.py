"""How a call comes to its answer: tries, hedges, pauses and a renewed token, all within one deadline."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ebb.client.backoff import FullBudget, pause
from ebb.client.call import LEAST, Call, Request
from ebb.client.endpoint import Endpoint, Outcome
from ebb.client.errors import CallFailed, DeadlineExceeded, RateLimited, Unauthorized, Unreachable
from ebb.client.policy import Policy
from ebb.client.race import Race
from ebb.client.tokens import TokenSource
from ebb.errors import Misuse

T = TypeVar("T")


class Engine:
    """Carries out calls; belongs to one event loop.

    Args:
        endpoints: the first is preferred, and the only one for what may not be asked anywhere.
        tokens: where tokens come from.
        policy: how patient and insistent it is.
        draw: 0 to 1, for jitter.

    Attributes:
        counts: `called`, `retried`, `retry_denied`, `hedge_sent`, `hedge_won`, `hedge_denied`, `gone_over`,
            `token_renewed`.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        tokens: TokenSource,
        policy: Policy,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._endpoints, self._tokens, self._policy, self._draw = tuple(endpoints), tokens, policy, draw
        self._retries = FullBudget(policy.retry_share, policy.retry_burst)
        self.counts: Counter[str] = Counter()
        self._race = Race(policy, self.counts)

    async def call(self, request: Request[T], deadline: float | None) -> T:
        """Return what is asked.

        Args:
            request: what is asked.
            deadline: seconds; None for the policy's.

        Raises:
            CallFailed: no answer, or one that is no success.
            Misuse: the deadline is none.
        """
        seconds = self._policy.deadline if deadline is None else deadline
        if not seconds > 0:
            raise Misuse("a call's deadline must be more than 0 seconds")
        call = Call(request, seconds)
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                document = await self._insist(call)
        except TimeoutError:
            if not scope.expired():
                raise
            raise _exceeded(call, seconds) from call.last
        except Unreachable as lost:
            # The try's own timeout is what remained, and may be the first to notice.
            if call.remaining() > LEAST:
                raise
            raise _exceeded(call, seconds) from lost
        return request.read(document, call.id)

    async def aclose(self) -> None:
        """Wait until what was cut off is closed."""
        await self._race.aclose()

    async def _insist(self, call: Call) -> Any:
        """Try until there is an answer that stands."""
        self.counts["called"] += 1
        self._retries.called()
        retries, renewed = 0, False
        while True:
            call.token = await self._tokens.token()
            outcome = await self._race.run(call, self._order(call))
            if outcome.failure is None:
                return outcome.document
            call.last = outcome.failure
            if isinstance(outcome.failure, Unauthorized) and not renewed and self._tokens.refused(call.token):
                self.counts["token_renewed"] += 1
                renewed = True
                continue
            await self._pause(call, outcome, outcome.failure, retries)
            retries += 1

    async def _pause(self, call: Call, outcome: Outcome, failure: CallFailed, retries: int) -> None:
        """Wait for the next try, or raise the failure where there is none."""
        if not outcome.again or retries >= self._policy.retries:
            raise failure
        # What one endpoint asks for does not bind another, save a limit of this client's own.
        elsewhere = self._order(call)[0] is not outcome.endpoint and not isinstance(failure, RateLimited)
        seconds = pause(self._policy, retries, None if elsewhere else failure.retry_after, self._draw())
        if seconds >= call.remaining():
            raise failure
        if not self._retries.take():
            self.counts["retry_denied"] += 1
            raise failure
        self.counts["retried"] += 1
        await asyncio.sleep(seconds)

    def _order(self, call: Call) -> list[Endpoint]:
        """Return whom to ask, in order: those that stand well first, then those that have not just failed this call."""
        if not call.request.anywhere:
            return [self._endpoints[0]]
        return sorted(self._endpoints, key=lambda each: (not each.standing.fit, each in call.failed))


def _exceeded(call: Call, seconds: float) -> DeadlineExceeded:
    before = f"; before that: {call.last.detail.rstrip('.')}" if call.last else ""
    return DeadlineExceeded(f"no answer within {seconds:g} s{before}", request_id=call.id)
