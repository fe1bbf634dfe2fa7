"""One server: its breaker, its warm connections, and those that still owe an answer nobody waits for."""

import time
from collections import deque

from redis.exceptions import AuthenticationError

from ebb.errors import Unavailable
from ebb.resilience.breaker import Breaker, State
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.answers import refusal
from ebb.valkey.link import Link, Request
from ebb.valkey.refusal import FAILURES, unavailable

_MOST_SPARE, _MOST_PARKED, _PARKED_SECONDS = 4, 16, 1.0
_WARM = 2


class Server:
    """Connections to one server, for one thread at a time.

    Args:
        address: where it listens.
        breaker: its own.
        timeout: seconds within which an answer counts as one.
    """

    def __init__(self, address: ValkeyAddress, breaker: Breaker, timeout: float) -> None:
        self._address, self.breaker, self._timeout = address, breaker, timeout
        self._spares: list[Link] = []
        self._parked: deque[Link] = deque()

    def warm(self, deadline: float) -> None:
        """Open connections ahead of the first use.

        Raises:
            Unavailable: the server does not answer.
        """
        try:
            while len(self._spares) < _WARM:
                self._spares.append(Link(self._address, deadline))
        except FAILURES as error:
            raise unavailable(error) from None

    def send(self, request: Request, deadline: float) -> Link:
        """Send commands before `deadline`, on a warm connection or on a new one.

        The link belongs to the caller, until it is given back (`succeeded`), parked or closed.

        Raises:
            redis.RedisError, OSError: the connection is lost, or not open in time.
        """
        link = self._spare() or Link(self._address, deadline)
        try:
            link.send(request, deadline)
        except BaseException:
            link.close()
            raise
        return link

    def succeeded(self, link: Link) -> None:
        """Report an answer; its connection is a spare again."""
        self.breaker.succeeded()
        self._keep(link)

    def refused(self, link: Link, error: Exception) -> Unavailable:
        """Report an answer that says no; its connection is a spare again, unless it is its login that is refused."""
        if isinstance(error, AuthenticationError):
            link.locked_out()
        else:
            self._keep(link)
        return self.failed(error)

    def failed(self, error: Exception) -> Unavailable:
        """Report a failure, and return what it means to callers."""
        meaning = unavailable(error)
        self.breaker.failed(timeout=meaning.timeout)
        if self.breaker.state is State.OPEN:
            self.close()
        return meaning

    def park(self, link: Link) -> None:
        """Put a connection aside whose answer is not waited for: a spare takes its place until it has come."""
        self._parked.append(link)
        while len(self._parked) > _MOST_PARKED:
            self._parked.popleft().close()

    def drain(self) -> None:
        """Take back the parked connections whose answers have come, without waiting for any.

        One that came in time after all is reported: the server lost a race, and still it is well.
        """
        if not self._parked:
            return
        waiting, self._parked = self._parked, deque()
        for link in waiting:
            age = time.monotonic() - link.sent_at
            try:
                answered = link.stirs() and link.collect()
            except FAILURES:
                link.close()
                continue
            if answered:
                if age <= self._timeout and refusal(link.replies) is None:
                    self.breaker.succeeded()
                self._keep(link)
            elif age <= _PARKED_SECONDS:
                self._parked.append(link)
            else:
                link.close()

    def close(self) -> None:
        """Close all connections."""
        for link in (*self._spares, *self._parked):
            link.close()
        self._spares.clear()
        self._parked.clear()

    def _spare(self) -> Link | None:
        while self._spares:
            link = self._spares.pop()
            if not link.ended():
                return link
            link.close()
        return None

    def _keep(self, link: Link) -> None:
        if len(self._spares) < _MOST_SPARE:
            self._spares.append(link)
        else:
            link.close()
