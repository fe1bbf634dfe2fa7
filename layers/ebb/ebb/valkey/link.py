"""One connection to a server, read without ever blocking for longer than allowed."""

import math
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as NoAnswerYet

from ebb.valkey.address import ValkeyAddress
from ebb.valkey.connection import LEAST_SECONDS, TimedConnection


@dataclass(frozen=True)
class Request:
    """Packed commands that go out in one write, and how many replies they bring."""

    packed: bytes
    replies: int


class Link:
    """An open connection, and the replies that the server still owes on it.

    Args:
        address: of the server.
        deadline: by when it must be open, a moment of `time.monotonic`.

    Raises:
        redis.RedisError, OSError: it cannot be opened in time.
    """

    def __init__(self, address: ValkeyAddress, deadline: float) -> None:
        self._connection = TimedConnection(address, max(deadline - time.monotonic(), LEAST_SECONDS))
        self._connection.connect()
        self.descriptor: int = self._connection._sock.fileno()  # noqa: SLF001 - the library offers no other way
        self._poll = select.poll()
        self._poll.register(self.descriptor, select.POLLIN)
        self._owed = 0
        self.sent_at = 0.0
        self.replies: list[Any] = []

    def send(self, request: Request) -> None:
        """Send commands.

        Raises:
            redis.RedisError: the connection is lost.
        """
        self._owed, self.replies = request.replies, []
        self.sent_at = time.monotonic()
        self._connection.send_packed_command([request.packed], check_health=False)

    def stirs(self) -> bool:
        """Tell whether there is something to read: replies, or the end of the connection."""
        return bool(self._poll.poll(0))

    def ended(self) -> bool:
        """Tell whether a connection on which nothing is owed cannot be used any more."""
        if not self.stirs():
            return False
        try:
            self._connection.read_response(disable_decoding=True, timeout=0, disconnect_on_error=False)
        except NoAnswerYet:
            return False  # not for us: TLS sends tickets after its handshake
        except (RedisError, OSError):
            return True
        return True  # whatever was said there, nobody asked for it

    def collect(self) -> bool:
        """Read what has come, and tell whether all `replies` are there; errors among them are left as they are.

        Raises:
            redis.RedisError, OSError: the connection is lost, or the server is loading.
        """
        while len(self.replies) < self._owed:
            try:
                reply = self._connection.read_response(disable_decoding=True, timeout=0, disconnect_on_error=False)
            except NoAnswerYet:
                return False
            except ResponseError as error:
                reply = error
            self.replies.append(reply)
        self._owed = 0
        return True

    def wait(self, until: float) -> bool:
        """Wait for all replies until a moment of `time.monotonic`; tell whether they are there.

        Raises:
            redis.RedisError, OSError: see `collect`.
        """
        while True:
            left = until - time.monotonic()
            if not self._poll.poll(max(0, math.ceil(left * 1000))):
                return False
            if self.collect():
                return True
            if left <= 0:
                return False

    def close(self) -> None:
        """Close the connection; what is owed is lost."""
        self._connection.disconnect()


def first_to_answer(links: Sequence[Link], until: float) -> list[Link]:
    """Wait until something can be read on one of the links; return those, or none at the given moment."""
    poll = select.poll()
    for link in links:
        poll.register(link.descriptor, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(max(0, math.ceil((until - time.monotonic()) * 1000)))}
    return [link for link in links if link.descriptor in ready]
