"""One call: what is asked, and what all its tries and hedges have in common."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import uuid4

if TYPE_CHECKING:
    from ebb.client.errors import CallFailed

T = TypeVar("T")

REQUEST_ID, DEADLINE, PURPOSE, KEY = "ebb-request-id", "ebb-deadline-ms", "ebb-purpose", "idempotency-key"
API_KEY = "x-api-key"

LEAST = 0.002
"""Seconds; with less than that nothing can be done any more."""


@dataclass(frozen=True)
class Request(Generic[T]):
    """What is asked.

    Attributes:
        name: of the kind of call; calls of one kind take about the same time.
        method: HTTP method.
        path: percent-encoded, with the query.
        read: from the answer's document and the request id to what the caller gets.
        body: JSON; empty for none.
        headers: of this call only.
        anywhere: whether any endpoint may answer, and two may be asked at once; else only the first is asked.
    """

    name: str
    method: str
    path: str
    read: Callable[[Any, str], T]
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    anywhere: bool = False


class Call:
    """A request under way.

    Args:
        request: what is asked.
        seconds: until its deadline.
        clock: monotonic seconds.

    Attributes:
        id: the same in every try and hedge.
        token: of the present tries.
        last: what the last try had against it.
        failed: endpoints that failed this call.
    """

    def __init__(self, request: Request[Any], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.request, self.id = request, uuid4().hex
        self.token = ""
        self.last: CallFailed | None = None
        self.failed: set[object] = set()
        self._clock, self._until = clock, clock() + seconds

    def remaining(self) -> float:
        """Return the seconds until the deadline, at least `LEAST`."""
        return max(LEAST, self._until - self._clock())

    def headers(self) -> dict[str, str]:
        """Return the headers of a try that begins now."""
        body = {"content-type": "application/json"} if self.request.body else {}
        return {
            **self.request.headers,
            **body,
            "authorization": f"Bearer {self.token}",
            REQUEST_ID: self.id,
            DEADLINE: str(int(self.remaining() * 1000)),
        }
