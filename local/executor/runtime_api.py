"""Lambda's Runtime API, version 2018-06-01, as served to the one environment of a loopback port.

Its paths stand in one table, so that the Extensions API can be added beside them.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

import httptools

from local.wire.immediate import Immediate

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPECT = b"expect"
_PREFIX = "/2018-06-01/runtime/"
_ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n'


def _refusal(status: bytes, error_type: bytes) -> bytes:
    body = b'{"errorType":"%b","errorMessage":"%b"}' % (error_type, status[4:])
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


_UNKNOWN_ID = _refusal(b"400 Bad Request", b"InvalidRequestID")
_TOO_LARGE = _refusal(b"413 Request Entity Too Large", b"RequestEntityTooLarge")
_NOT_FOUND = _refusal(b"404 Not Found", b"InvalidPath")


class Runtime(Protocol):
    """What the environment behind the port does with its runtime client's calls."""

    def asked(self, connection: "RuntimeConnection") -> None:
        """The client asks for its next invocation; it is answered through `connection.deliver`."""

    def ended(self, connection: "RuntimeConnection", request_id: str, body: bytes, *, error: bool) -> None:
        """The client posts an answer or error; the connection is told `accept`, `refuse_id` or `refuse_size`."""

    def failed_init(self, body: bytes) -> None:
        """The client posts why it cannot start."""

    def lost(self, connection: "RuntimeConnection") -> None:
        """A connection of the client closed."""


class RuntimeConnection(asyncio.Protocol):
    """One connection of a runtime client. No header but Expect matters, and httptools joins chunked bodies.

    A client may ask for its next invocation right behind an answer. Then the word that the answer is accepted waits
    for that invocation and leaves with it: one write here, and the client is woken once. What comes right behind an
    answer that is refused is not heard: the client could not know, and leaves as soon as it does.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.parser = httptools.HttpRequestParser(self)
        self.target = b""
        self.body: list[bytes] = []
        self.held = b""
        self.asking = self.refused = False
        self.paths: dict[str, Callable[[], None]] = {
            _PREFIX + "invocation/next": self._next,
            _PREFIX + "init/error": self._init_error,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in."""
        self.transport = cast("asyncio.Transport", transport)
        self.out = Immediate(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the environment."""
        del exc
        self.runtime.lost(self)

    def data_received(self, data: bytes) -> None:
        """Parse; a client that does not speak HTTP is cut off."""
        self.refused = False
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.transport.abort()
        if self.held and not self.asking:
            self._say(b"")

    def _say(self, data: bytes) -> None:
        self.out.write(self.held + data)
        self.held = b""

    def on_message_begin(self) -> None:
        """Start a new request."""
        self.target = b""
        self.body = []

    def on_url(self, url: bytes) -> None:
        """Take the path, maybe in pieces."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Let a body come that waits to be asked for."""
        if len(name) == len(_EXPECT) and name.lower() == _EXPECT and value.lower() == b"100-continue":
            self._say(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self.body.append(body)

    def on_message_complete(self) -> None:
        """Act on the finished request."""
        if self.refused:
            return
        target = self.target.decode("latin-1")
        act = self.paths.get(target)
        if act is not None:
            act()
            return
        parts = target.removeprefix(_PREFIX).split("/")
        if len(parts) == 3 and parts[0] == "invocation" and parts[2] in {"response", "error"}:  # noqa: PLR2004
            self._end(parts[1], error=parts[2] == "error")
        else:
            self._say(_NOT_FOUND)

    def _next(self) -> None:
        self.asking = True
        self.runtime.asked(self)

    def _init_error(self) -> None:
        self.runtime.failed_init(b"".join(self.body))
        self.accept()

    def _end(self, request_id: str, *, error: bool) -> None:
        body = self.body[0] if len(self.body) == 1 else b"".join(self.body)
        self.body = []
        self.runtime.ended(self, request_id, body, error=error)

    def accept(self) -> None:
        """Let the client go on: it gets ready for the next invocation while the caller's answer is still made."""
        self.held += _ACCEPTED

    def refuse_id(self) -> None:
        """Tell the client that it does not hold this invocation; it leaves."""
        self._refuse(_UNKNOWN_ID)

    def refuse_size(self) -> None:
        """Tell the client that its answer is over the limit; it leaves."""
        self._refuse(_TOO_LARGE)

    def _refuse(self, answer: bytes) -> None:
        self.refused = True
        self._say(answer)

    def deliver(self, head: bytes, payload: bytes) -> None:
        """Answer the client's wait with an invocation; `head` are Lambda's header lines."""
        self.asking = False
        status = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(payload)
        self._say(b"".join((status, head, b"\r\n", payload)))
