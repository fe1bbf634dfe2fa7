"""Where a call's token comes from: fixed, from a function, or by OAuth2 client credentials; renewed before it ends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx

from ebb.client.address import checked_address
from ebb.client.errors import TokenUnavailable
from ebb.client.oauth import ClientCredentials, Fetched, granted
from ebb.errors import Misuse
from ebb.resilience.budget import RateBudget

CALLED_SECONDS = 60.0
"""How long the token of a function is used before it is asked again."""

COOL_SECONDS = 1.0
"""After a failure nobody asks the token endpoint again for so long."""


Token = str | Callable[[], str] | ClientCredentials
"""What a client is given: a token, a function that returns one, or what gets one."""


class TokenSource(Protocol):
    """What gives tokens; belongs to one event loop."""

    async def token(self) -> str:
        """Return a token that is valid now.

        Raises:
            TokenUnavailable: none can be had.
        """

    def refused(self, token: str) -> bool:
        """Take note that this token was refused; tell whether another can be had."""

    async def aclose(self) -> None:
        """End what is being fetched."""


class FixedToken:
    """Always the same token."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        """Return it."""
        return self._token

    def refused(self, token: str) -> bool:
        """There is no other."""
        del token
        return False

    async def aclose(self) -> None:
        """There is nothing to end."""


class RenewedToken:
    """A token that is fetched once for everybody who waits for it, and again ahead of its end.

    Args:
        fetch: returns a fresh token.
        margin: seconds; see `ClientCredentials`.
        clock: monotonic seconds.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[Fetched]], margin: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._margin, self._clock = fetch, margin, clock
        self._held: str | None = None
        self._renew_at = self._ends_at = self._cool_until = 0.0
        self._failure: TokenUnavailable | None = None
        self._task: asyncio.Task[None] | None = None
        # A server that refuses every token may not make the token endpoint be asked with every call.
        self._forced = RateBudget(1.0, 2.0, clock)

    async def token(self) -> str:
        """Return the held token, or wait for the one that is being fetched."""
        now = self._clock()
        if self._held is None or now >= self._ends_at:
            if now >= self._cool_until:
                await asyncio.shield(self._renewing())
            if self._held is None or self._clock() >= self._ends_at:
                raise _again(self._failure) if self._failure else TokenUnavailable("the token ended at once")
        elif now >= max(self._renew_at, self._cool_until):
            self._renewing()
        return self._held

    def refused(self, token: str) -> bool:
        """Drop the token, unless it was renewed meanwhile."""
        if token == self._held:
            if not self._forced.take():
                return False
            self._held = None
        return True

    async def aclose(self) -> None:
        """End what is being fetched."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _renewing(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._renew())
        return self._task

    async def _renew(self) -> None:
        began = self._clock()
        try:
            fetched = await self._fetch()
        except TokenUnavailable as error:
            self._failure, self._cool_until = error, self._clock() + COOL_SECONDS
            return
        self._held, self._failure = fetched.value, None
        self._ends_at = began + fetched.seconds
        self._renew_at = self._ends_at - min(self._margin, fetched.seconds / 2)


def source_of(token: Token, http: httpx.AsyncClient) -> TokenSource:
    """Return what gives the tokens of a client.

    Raises:
        Misuse: it is no token, and nothing that gives one.
    """
    if isinstance(token, str):
        if not token or not token.isascii() or not token.isprintable():
            raise Misuse("the token is empty, or holds what no token does: pass it without spaces and line ends")
        return FixedToken(token)
    if isinstance(token, ClientCredentials):
        checked_address(token.url)
        return RenewedToken(lambda: granted(token, http), token.margin)
    if not callable(token):
        raise Misuse("`token` must be a text, a function that returns one, or ClientCredentials")
    return RenewedToken(lambda: _called(token), CALLED_SECONDS / 2)


def _again(failure: TokenUnavailable) -> TokenUnavailable:
    """Return the same failure for another waiter: one exception object cannot be raised in two places."""
    return TokenUnavailable(failure.detail, status=failure.status)


async def _called(function: Callable[[], str]) -> Fetched:
    try:
        # It may read a file or ask a server: no other call waits for that.
        return Fetched(await asyncio.to_thread(function), CALLED_SECONDS)
    except Exception as error:
        raise TokenUnavailable(f"the function that returns the token failed ({type(error).__name__})") from error
