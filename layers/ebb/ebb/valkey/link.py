"""One connection to a server, read without ever blocking for longer than allowed."""

import math
import select
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hiredis import Reader
from redis._parsers import BaseParser
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as NoAnswer

from ebb.valkey.address import ValkeyAddress
from ebb.valkey.connection import LEAST_SECONDS, TimedConnection

_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_CHUNK = 65_536


@dataclass(slots=True)
class Request:
    """Packed commands that go out in one write, and how many replies they bring."""

    packed: bytes
    replies: int


class Link:
    """An open connection, and the replies that the server still owes on it.

    The client library connects, shakes hands and logs in; from then on its socket is written and read here, which
    takes a fourth of the time.

    Args:
        address: of the server.
        deadline: by when it must be open, a moment of `time.monotonic`.

    Raises:
        redis.RedisError, OSError: it cannot be opened in time.
    """

    def __init__(self, address: ValkeyAddress, deadline: float) -> None:
        self._connection = TimedConnection(address, max(deadline - time.monotonic(), LEAST_SECONDS))
        self._connection.connect()
        self._socket = self._connection._sock  # noqa: SLF001 - the library offers no other way
        self._socket.settimeout(0.0)
        self._reader = Reader(protocolError=InvalidResponse, replyError=BaseParser.parse_error)
        self.descriptor: int = self._socket.fileno()
        self._poll = select.poll()
        self._poll.register(self.descriptor, select.POLLIN)
        self._owed = 0
        self.sent_at = 0.0
        self.replies: list[Any] = []

    def send(self, request: Request, deadline: float) -> None:
        """Send commands before a moment of `time.monotonic`.

        Raises:
            redis.RedisError, OSError: the connection is lost, or the server takes no more in time.
        """
        self._owed, self.replies = request.replies, []
        self.sent_at = time.monotonic()
        sent = self._sent(request.packed)
        if sent < len(request.packed):
            self._send_rest(memoryview(request.packed)[sent:], deadline)

    def stirs(self) -> bool:
        """Tell whether there is something to read: replies, or the end of the connection."""
        return bool(self._poll.poll(0))

    def ended(self) -> bool:
        """Tell whether a connection on which nothing is owed cannot be used any more."""
        if not self.stirs():
            return False
        try:
            self._socket.recv(1)
        except _NOT_YET:
            return False  # not for us: TLS sends tickets after its handshake
        except OSError:
            return True
        return True  # whatever was said there, nobody asked for it

    def collect(self) -> bool:
        """Read what has come, and tell whether all `replies` are there; errors among them are left as they are.

        Raises:
            redis.RedisError, OSError: the connection is lost, or what came is no reply.
        """
        replies, reader = self.replies, self._reader
        while len(replies) < self._owed:
            try:
                came = self._socket.recv(_CHUNK)
            except _NOT_YET:
                return False
            if not came:
                raise Lost("the server closed the connection")
            reader.feed(came)
            while (reply := reader.gets()) is not False:
                replies.append(reply)
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

    def locked_out(self) -> None:
        """Close the connection, since its login does not count (any more)."""
        self._connection.refused()
        self.close()

    def close(self) -> None:
        """Close the connection; what is owed is lost."""
        self._connection.disconnect()

    def _sent(self, packed: bytes | memoryview) -> int:
        try:
            return int(self._socket.send(packed))
        except _NOT_YET:
            return 0

    def _send_rest(self, rest: memoryview, deadline: float) -> None:
        """Send what did not fit into the connection's buffer at once."""
        ready = select.poll()
        ready.register(self.descriptor, select.POLLOUT)
        while rest:
            if not ready.poll(max(0, math.ceil((deadline - time.monotonic()) * 1000))):
                raise NoAnswer("the server takes no more")
            rest = rest[self._sent(rest) :]


def first_to_answer(links: Sequence[Link], until: float) -> list[Link]:
    """Wait until something can be read on one of the links; return those, or none at the given moment."""
    poll = select.poll()
    for link in links:
        poll.register(link.descriptor, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll(max(0, math.ceil((until - time.monotonic()) * 1000)))}
    return [link for link in links if link.descriptor in ready]
