"""One keep-alive connection: parses with httptools, serves its requests one after another, answers in order."""

import asyncio
import logging
from collections import deque
from http import HTTPStatus
from typing import cast

import httptools

from local.wire.answer import Answer, encode
from local.wire.immediate import Immediate
from local.wire.request import Request
from local.wire.site import Limits, Site

_LOG = logging.getLogger(__name__)
_NAMES: dict[bytes, str] = {}
_KNOWN_NAMES = 512
_LINGER_SECONDS = 1.0


def _name(raw: bytes) -> str:
    """Return a header's name in lower case; common ones are remembered."""
    known = _NAMES.get(raw)
    if known is None:
        known = raw.decode("latin-1").lower()
        if len(_NAMES) < _KNOWN_NAMES:
            _NAMES[raw] = known
    return known


class Crowd:
    """The open connections of a server."""

    def __init__(self) -> None:
        self.members: set[Connection] = set()
        self.empty = asyncio.Event()
        self.empty.set()

    def join(self, connection: "Connection") -> None:
        """Count a connection in."""
        self.members.add(connection)
        self.empty.clear()

    def leave(self, connection: "Connection") -> None:
        """Count a connection out."""
        self.members.discard(connection)
        if not self.members:
            self.empty.set()


class Connection(asyncio.Protocol):
    """A client's connection. Pipelined requests wait for the one before, so a read after a write sees it."""

    def __init__(self, site: Site, limits: Limits, crowd: "Crowd") -> None:
        self.site = site
        self.limits = limits
        self.crowd = crowd
        self.parser = httptools.HttpRequestParser(self)
        self.waiting: deque[Request] = deque()
        self.current: Request | None = None
        self.request = Request()
        self.chunks: list[bytes] = []
        self.head_bytes = self.body_bytes = self.unfinished = 0
        self.in_head = True
        self.finished = False
        self.deaf = self.paused = self.closing = False
        self.peer = ""
        self.heard = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or refuse it when the server is full."""
        self.transport = cast("asyncio.Transport", transport)
        self.out = Immediate(self.transport)
        self.heard = asyncio.get_running_loop().time()
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else "127.0.0.1"
        self.crowd.join(self)
        if len(self.crowd.members) > self.limits.connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; an answer still on its way is dropped."""
        del exc
        self.closing = True
        self.waiting.clear()
        self.crowd.leave(self)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; whatever follows something unreadable is not looked at."""
        if self.deaf or self.closing:
            return
        self.heard = asyncio.get_running_loop().time()
        self.finished = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request was delivered like any other; what follows would be another protocol.
            self.deaf = True
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if self.in_head and not self.finished:
            # The parser hands a header over when it is whole: without this, one that never ends would grow for ever.
            self.unfinished += len(data)
            if self.unfinished > self.limits.head_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if len(self.waiting) > self.limits.pipelined and not self.paused:
            self.paused = True
            self.transport.pause_reading()

    def on_message_begin(self) -> None:
        """Start a new request."""
        self.request = Request(peer=self.peer)
        self.chunks = []
        self.head_bytes = self.body_bytes = 0
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        """Take the request's target, maybe in pieces."""
        self.request.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header in."""
        self.head_bytes += len(name) + len(value) + 4
        self.request.add_header(_name(name), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """Refuse early what is too large or lacks a host; ask for a body that waits to be asked for."""
        self.in_head = False
        self.unfinished = 0
        request = self.request
        headers = request.headers
        if self.head_bytes + len(request.target) > self.limits.head_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif int(headers.get("content-length", 0)) > self.limits.body_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif "host" not in headers and self.parser.get_http_version() == "1.1":
            self._refuse(HTTPStatus.BAD_REQUEST)
        elif "expect" in headers and self.current is None and not self.waiting:
            self.out.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body within its limit."""
        self.body_bytes += len(body)
        if self.body_bytes > self.limits.body_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif not self.deaf:
            self.chunks.append(body)

    def on_message_complete(self) -> None:
        """Queue the finished request behind those before it."""
        self.in_head = self.finished = True
        if self.deaf:
            return
        request = self.request
        request.method = self.parser.get_method().decode("latin-1")
        request.protocol = "HTTP/" + self.parser.get_http_version()
        request.body = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        request.keep_alive = self.parser.should_keep_alive() and not self.parser.should_upgrade()
        self._queue(request)

    def _refuse(self, status: int) -> None:
        """Answer `status` in its turn and hear no more."""
        if not self.deaf:
            self.deaf = True
            self._queue(Request(refused=status, keep_alive=False))

    def _last(self) -> None:
        """Close once everything taken in so far is answered."""
        self.deaf = True
        last = self.waiting[-1] if self.waiting else self.current
        if last is not None:
            last.keep_alive = False

    def _queue(self, request: Request) -> None:
        if self.current is None:
            self._serve(request)
        else:
            self.waiting.append(request)

    def _serve(self, request: Request) -> None:
        self.current = request
        if request.refused:
            self._respond(self.site.refuse(request.refused))
            return
        try:
            self.site.serve(request, self._respond)
        except Exception:  # noqa: BLE001
            # One request must never take the connection's loop down with it.
            _LOG.exception("a request could not be served")
            self._respond(self.site.refuse(HTTPStatus.INTERNAL_SERVER_ERROR))

    def _respond(self, answer: Answer) -> None:
        request = self.current
        if request is None or self.closing:
            return
        self.current = None
        self.heard = asyncio.get_running_loop().time()
        self.out.write(encode(answer, keep_alive=request.keep_alive, head_only=request.method == "HEAD"))
        if not request.keep_alive:
            self.closing = True
            self._close(linger=bool(request.refused))
        elif self.waiting:
            # Through the loop, not the stack: a thousand pipelined refusals must not recurse.
            asyncio.get_running_loop().call_soon(self._next)
        elif self.paused:
            self._resume()

    def _close(self, *, linger: bool) -> None:
        """Close; after a refusal go on reading for a moment, or a reset would overtake the answer."""
        if linger and self.transport.can_write_eof():
            self.transport.write_eof()
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _next(self) -> None:
        if self.waiting and self.current is None:
            self._serve(self.waiting.popleft())
        if self.paused and len(self.waiting) < self.limits.pipelined // 2:
            self._resume()

    def _resume(self) -> None:
        self.paused = False
        if not self.closing:
            self.transport.resume_reading()

    def finish(self) -> None:
        """Close now when nothing is being answered, else after the answers already owed."""
        if self.current is None and not self.waiting:
            self.closing = True
            self.transport.close()
        else:
            self._last()
