"""Bytes of a connection into requests, within limits; parses with httptools."""

from http import HTTPStatus
from typing import Protocol

import httptools

from local.wire.request import Request
from local.wire.site import Limits

_NAMES: dict[bytes, str] = {}
_KNOWN_NAMES = 512


def _name(raw: bytes) -> str:
    """Return a header's name in lower case; common ones are remembered."""
    known = _NAMES.get(raw)
    if known is None:
        known = raw.decode("latin-1").lower()
        if len(_NAMES) < _KNOWN_NAMES:
            _NAMES[raw] = known
    return known


class Receiver(Protocol):
    """What becomes of the requests of a connection."""

    peer: str

    def take(self, request: Request) -> None:
        """A request is complete, or `refused`; after a refused one nothing follows."""

    def expected(self) -> None:
        """The client waits for leave to send its body."""


class Reader:
    """Reads one connection; deaf after the first thing it cannot read."""

    def __init__(self, receiver: Receiver, limits: Limits) -> None:
        self.receiver = receiver
        self.limits = limits
        self.parser = httptools.HttpRequestParser(self)
        self.request = Request()
        self.body = bytearray()
        self.head_bytes = self.unfinished = 0
        self.in_head = True
        self.finished = self.heard_body = False
        self.deaf = False

    @property
    def between(self) -> bool:
        """Whether the next byte starts a request."""
        return self.in_head and not self.unfinished

    def feed(self, data: bytes) -> None:
        """Parse what arrived; whatever follows something unreadable is not looked at."""
        if self.deaf:
            return
        self.finished = self.heard_body = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # The request was delivered like any other; what follows would be another protocol.
            self.deaf = True
        except httptools.HttpParserError:
            self.refuse(HTTPStatus.BAD_REQUEST)
        if not self.finished and not self.heard_body:
            # The parser hands a header, a trailer and a chunk's size over when they are whole: without this, one that
            # never ends would grow for ever.
            self.unfinished += len(data)
            if self.unfinished > self.limits.head_bytes:
                self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def refuse(self, status: int) -> None:
        """Have `status` answered in its turn and hear no more."""
        if not self.deaf:
            self.deaf = True
            self.receiver.take(Request(refused=status, keep_alive=False))

    def on_message_begin(self) -> None:
        """Start a new request."""
        self.request = Request(peer=self.receiver.peer)
        self.body = bytearray()
        self.head_bytes = 0
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        """Take the request's target, maybe in pieces."""
        self.request.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header in; those that follow a chunked body are dropped (RFC 9112, 7.1.2)."""
        if not self.in_head:
            return
        self.head_bytes += len(name) + len(value) + 4
        self.request.add_header(_name(name), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """Refuse early what is too large or lacks a host; let a body come that waits to be asked for."""
        self.in_head = False
        self.unfinished = 0
        request = self.request
        headers = request.headers
        if self.head_bytes + len(request.target) > self.limits.head_bytes:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif int(headers.get("content-length", 0)) > self.limits.body_bytes:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif self._lacks_one_host():
            self.refuse(HTTPStatus.BAD_REQUEST)
        elif "expect" in headers:
            self.receiver.expected()

    def _lacks_one_host(self) -> bool:
        """Say whether the request names two hosts, or none where it must (RFC 9112, 3.2)."""
        host = self.request.headers.get("host")
        return self.parser.get_http_version() != "1.0" if host is None else "," in host

    def on_body(self, body: bytes) -> None:
        """Collect the body within its limit."""
        self.heard_body = True
        self.unfinished = 0
        if len(self.body) + len(body) > self.limits.body_bytes:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif not self.deaf:
            self.body += body  # one buffer: a list of two-byte chunks would take twenty times their size

    def on_message_complete(self) -> None:
        """Hand the finished request over."""
        self.in_head = self.finished = True
        if self.deaf:
            return
        request, parser = self.request, self.parser
        request.method = parser.get_method().decode("latin-1")
        request.protocol = "HTTP/" + parser.get_http_version()
        request.body = bytes(self.body)
        request.keep_alive = parser.should_keep_alive() and not parser.should_upgrade()
        self.receiver.take(request)
