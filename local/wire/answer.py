"""One HTTP answer and its bytes on the wire (RFC 9112)."""

import time
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

_REASONS = {int(status): status.phrase for status in HTTPStatus}
_LINES = {status: f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}\r\n".encode() for status in range(100, 600)}
_FIRST_STATUS_WITH_BODY = 200
_NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(slots=True)
class Answer:
    r"""What a server says to one request.

    Attributes:
        status: HTTP status, 200 to 599.
        headers: ready header lines, each ended by "\r\n"; without date, content-length and connection.
        body: the whole body.
    """

    status: int
    headers: bytes
    body: bytes


class _Clock:
    """The date header, made once a second."""

    def __init__(self) -> None:
        self.second = 0
        self.line = b""

    def date(self) -> bytes:
        now = int(time.time())
        if now != self.second:
            self.second = now
            self.line = f"date: {formatdate(now, usegmt=True)}\r\n".encode()
        return self.line


_CLOCK = _Clock()


def encode(answer: Answer, *, keep_alive: bool, head_only: bool) -> bytes:
    """Return the bytes of an answer; one to HEAD carries the length of its body but not the body."""
    connection = b"connection: keep-alive\r\n\r\n" if keep_alive else b"connection: close\r\n\r\n"
    if answer.status in _NO_BODY or answer.status < _FIRST_STATUS_WITH_BODY:
        return b"".join((_LINES[answer.status], _CLOCK.date(), answer.headers, connection))
    length = b"content-length: %d\r\n" % len(answer.body)
    body = b"" if head_only else answer.body
    return b"".join((_LINES[answer.status], _CLOCK.date(), answer.headers, length, connection, body))
