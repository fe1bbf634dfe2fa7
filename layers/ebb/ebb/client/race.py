"""One round of a call: the first endpoint is asked, and another where that is slow, or not there at all."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

from ebb.client.backoff import FullBudget
from ebb.client.call import Call
from ebb.client.endpoint import Endpoint, Outcome
from ebb.client.policy import Policy

_Tries = dict[asyncio.Task[Outcome], Endpoint]


class Race:
    """Asks endpoints (Dean and Barroso, "The Tail at Scale", CACM 2013).

    Args:
        policy: the hedges' budget.
        counts: takes what happened.
    """

    def __init__(self, policy: Policy, counts: Counter[str]) -> None:
        self._budget = FullBudget(policy.hedge_share, policy.hedge_burst)
        self._hedging, self._counts = policy.hedging, counts
        self._cut_off: set[asyncio.Task[Outcome]] = set()

    async def run(self, call: Call, order: Sequence[Endpoint]) -> Outcome:
        """Return the first good answer; else what the first endpoint that answered has against the call."""
        first, *others = order
        rest = iter(others)
        self._budget.called()
        tries: _Tries = {}
        self._start(call, first, tries)
        delay = first.delay(call.request.name).seconds if others and self._hedging else None
        failed: list[Outcome] = []
        try:
            while tries:
                done, _ = await asyncio.wait(tries, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
                delay = None
                if not done:
                    self._hedge(call, rest, tries)
                for task in done:
                    endpoint, outcome = tries.pop(task), task.result()
                    if outcome.failure is None or (endpoint is first and not outcome.again):
                        self._counts["hedge_won"] += endpoint is not first and not failed
                        return outcome
                    failed.append(outcome)
                    call.failed.add(endpoint)
                    if not outcome.reached:
                        self._go_over(call, rest, tries)
        finally:
            self._cut(tries)
        return min(failed, key=lambda outcome: not outcome.reached)

    async def aclose(self) -> None:
        """Wait until every try that was cut off has closed its connection."""
        await asyncio.gather(*self._cut_off, return_exceptions=True)

    def _hedge(self, call: Call, rest: Iterator[Endpoint], tries: _Tries) -> None:
        """Ask another endpoint as well, where the budget allows."""
        if not self._budget.take():
            self._counts["hedge_denied"] += 1
        elif (endpoint := next(rest, None)) is not None:
            self._counts["hedge_sent"] += 1
            self._start(call, endpoint, tries)

    def _go_over(self, call: Call, rest: Iterator[Endpoint], tries: _Tries) -> None:
        """Ask another endpoint at once; no server has seen the call yet, so it costs no budget."""
        if not tries and (endpoint := next(rest, None)) is not None:
            self._counts["gone_over"] += 1
            self._start(call, endpoint, tries)

    @staticmethod
    def _start(call: Call, endpoint: Endpoint, tries: _Tries) -> None:
        tries[asyncio.get_running_loop().create_task(endpoint.ask(call))] = endpoint

    def _cut(self, tries: _Tries) -> None:
        """End the others without waiting for it: nobody's answer or deadline waits for their connections to close."""
        for task in tries:
            task.cancel()
            self._cut_off.add(task)
            task.add_done_callback(self._cut_off.discard)
