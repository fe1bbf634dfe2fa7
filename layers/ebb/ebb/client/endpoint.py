"""One endpoint: its address, its connections, how it stands, and how fast it usually answers."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx

from ebb.client.address import checked_address
from ebb.client.call import Call
from ebb.client.errors import CallFailed, OddAnswer, Unreachable
from ebb.client.policy import Policy
from ebb.client.problems import UNDER_WAY, failure_of
from ebb.client.standing import Standing
from ebb.resilience.hedge_delay import HedgeDelay

AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which the same may be sent again."""

IN_TROUBLE = frozenset({502, 503, 504})
"""Statuses that say something of the endpoint, not of the call."""


@dataclass(frozen=True)
class Outcome:
    """How one try ended.

    Attributes:
        endpoint: who was asked.
        document: the answer's JSON; only without a failure.
        failure: what went wrong.
        reached: whether the endpoint may have seen the request.
    """

    endpoint: "Endpoint"
    document: Any = None
    failure: CallFailed | None = None
    reached: bool = True

    @property
    def again(self) -> bool:
        """Whether the same may be sent again."""
        failure = self.failure
        if failure is None or isinstance(failure, OddAnswer):
            return False
        # A write that is under way is this call's own, from a try whose connection was lost.
        return failure.status is None or failure.status in AGAIN or failure.problem == UNDER_WAY


class Endpoint:
    """One endpoint.

    Args:
        address: such as `https://api.example.com`, without `/v1`.
        http: its own connections, so that one that hangs takes none from the others.
        policy: times.
    """

    def __init__(self, address: str, http: httpx.AsyncClient, policy: Policy) -> None:
        self.address = checked_address(address)
        self.standing = Standing()
        self._http, self._policy = http, policy
        self._delays: dict[str, HedgeDelay] = {}

    def delay(self, name: str) -> HedgeDelay:
        """Return how long to wait for this kind of call before somebody else is asked."""
        delay = self._delays.get(name)
        if delay is None:
            delay = self._delays[name] = HedgeDelay(self._policy.hedge_floor, self._policy.hedge_cap)
            # Its floor would hedge every first call of a client.
            delay.seconds = self._policy.hedge_cap
        return delay

    async def ask(self, call: Call) -> Outcome:
        """Send the request once; every end but a cancellation is an outcome."""
        delay, began = self.delay(call.request.name), time.monotonic()
        self.standing.asked()
        try:
            outcome = await self._send(call)
        except asyncio.CancelledError:
            taken = time.monotonic() - began
            # Cut off since the other one was first, or the deadline passed: it took at least so long.
            if taken >= delay.seconds:
                delay.note(taken)
                self.standing.failed()
            raise
        failure = outcome.failure
        if failure is None:
            delay.note(time.monotonic() - began)
        if failure is not None and (failure.status is None or failure.status in IN_TROUBLE):
            self.standing.failed()
        else:
            self.standing.succeeded()
        return outcome

    async def _send(self, call: Call) -> Outcome:
        request, remaining = call.request, call.remaining()
        allowed = min(remaining, self._policy.try_timeout or remaining)
        try:
            response = await self._http.request(
                request.method,
                self.address + request.path,
                content=request.body or None,
                headers=call.headers(),
                timeout=httpx.Timeout(allowed, connect=min(allowed, self._policy.connect_timeout)),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            lost = Unreachable(f"{self.address} took no connection ({_why(error)})", request_id=call.id)
            return Outcome(self, failure=lost, reached=False)
        except httpx.RequestError as error:
            lost = Unreachable(f"{self.address} gave no answer ({type(error).__name__})", request_id=call.id)
            return Outcome(self, failure=lost)
        return self._outcome(response, call.id)

    def _outcome(self, response: httpx.Response, request_id: str) -> Outcome:
        if not response.is_success:
            return Outcome(self, failure=failure_of(response, request_id))
        try:
            return Outcome(self, response.json())
        except (ValueError, RecursionError):
            odd = OddAnswer("the answer is not JSON", status=response.status_code, request_id=request_id)
            return Outcome(self, failure=odd)


def _why(error: httpx.TransportError) -> str:
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
