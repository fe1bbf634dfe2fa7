"""One keep-alive connection: serves its requests one after another and answers in order."""

import asyncio
import logging
from collections import deque
from http import HTTPStatus
from typing import cast

from local.wire.answer import Answer, encode
from local.wire.immediate import Immediate
from local.wire.reader import Reader
from local.wire.request import Request
from local.wire.site import Limits, Site

_LOG = logging.getLogger(__name__)
_LINGER_SECONDS = 1.0


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
        self.reader = Reader(self, limits)
        self.waiting: deque[Request] = deque()
        self.current: Request | None = None
        self.paused = self.closing = False
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
            self.reader.refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; an answer still on its way is dropped."""
        del exc
        self.closing = True
        self.waiting.clear()
        self.crowd.leave(self)

    def data_received(self, data: bytes) -> None:
        """Read requests; pause when too many wait."""
        if self.closing:
            return
        if self.reader.between:
            # Not with every byte: one a minute would keep half a request open for ever.
            self.heard = asyncio.get_running_loop().time()
        self.reader.feed(data)
        if len(self.waiting) > self.limits.pipelined and not self.paused:
            self.paused = True
            self.transport.pause_reading()

    def take(self, request: Request) -> None:
        """Serve a request, or queue it behind those before it."""
        if self.current is None and not self.waiting:
            self._serve(request)
        else:
            self.waiting.append(request)

    def expected(self) -> None:
        """Give leave to send a body, unless answers are still owed that must come first."""
        if self.current is None and not self.waiting:
            self.out.write(b"HTTP/1.1 100 Continue\r\n\r\n")

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
        self.reader.deaf = True
        last = self.waiting[-1] if self.waiting else self.current
        if last is None:
            self.closing = True
            self.transport.close()
        else:
            last.keep_alive = False
