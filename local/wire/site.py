"""What a server brings to its connections: how to serve, how to refuse, and its limits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from local.wire.answer import Answer
from local.wire.request import Request


@dataclass(frozen=True)
class Limits:
    """How much one server takes.

    Attributes:
        head_bytes: request line and headers together (API Gateway: 10,240).
        body_bytes: one body (API Gateway: 10 MB).
        connections: open connections; one more is refused with 503.
        pipelined: requests that may wait on one connection before reading pauses.
        idle_seconds: a connection without a request, or with a half one, is closed after this.
    """

    head_bytes: int = 10_240
    body_bytes: int = 10 * 1024 * 1024
    connections: int = 2_048
    pipelined: int = 64
    idle_seconds: float = 60.0


class Site(Protocol):
    """The part of a server that knows what its requests mean."""

    def serve(self, request: Request, respond: Callable[[Answer], None]) -> None:
        """Answer a request, now or later, by calling `respond` exactly once on the loop's thread."""

    def refuse(self, status: int) -> Answer:
        """Return the answer to something that could not be read or taken: 400, 413, 431, 500 or 503."""
