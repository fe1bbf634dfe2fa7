"""Signed requests to AWS over kept-alive connections, sent again where that helps, within a time of the caller's."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from itertools import count

from ebb.aws.connections import Connections
from ebb.aws.credentials import Credentials
from ebb.aws.endpoint import Endpoint
from ebb.aws.signing import signed_headers
from ebb.errors import Unavailable
from ebb.tls import trusting

_AGAIN = frozenset(
    {
        HTTPStatus.CONFLICT,  # S3: another conditional write of the same key is under way
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,  # S3: SlowDown
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_THROTTLED = (b"ThrottlingException", b"RequestTimeout")
"""Services that speak JSON refuse so with a 400; S3 does where a request's body was slow to come."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.025, 2.0
_NAMES = {"s3": "S3", "secretsmanager": "Secrets Manager", "lambda": "Lambda", "codedeploy": "CodeDeploy"}


@dataclass(frozen=True)
class Ask:
    """One request.

    Attributes:
        method: in capitals.
        url: whole, its parameters as `ebb.aws.signing.query` writes them.
        headers: that are not the signature's own.
        body: empty for none.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Answer:
    """What came.

    Attributes:
        status: of HTTP.
        headers: by names of any case.
        body: all of it.
        repeated: whether an earlier attempt may have taken effect before it was given up.
    """

    status: int
    headers: HTTPMessage
    body: bytes = field(repr=False)
    repeated: bool


class AwsClient:
    """Sends requests; for any number of threads.

    Args:
        credentials: returns the ones of this moment.
        clock: monotonic seconds.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        credentials: Callable[[], Credentials],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._credentials, self._clock, self._sleep = credentials, clock, sleep
        self._connections = Connections(trusting(), clock)

    def send(self, at: Endpoint, ask: Ask, seconds: float) -> Answer:
        """Return the answer, whatever its status: only what may pass by itself is asked for again.

        One attempt may take a third of the time, and pauses grow from one to the next (full jitter: Brooker,
        "Exponential Backoff And Jitter", 2015).

        Args:
            at: the service.
            ask: the request.
            seconds: for all attempts together.

        Raises:
            Misuse: the environment holds no credentials.
            Unavailable: no attempt was answered in time, or the service was too busy each time.
        """
        deadline, repeated = self._clock() + seconds, False
        for attempt in count():
            try:
                status, headers, body = self._once(at, ask, deadline, seconds / 3)
            except (HTTPException, OSError) as error:
                repeated = True
                failure = _lost(at, error)
            else:
                if status not in _AGAIN and not (status == HTTPStatus.BAD_REQUEST and _throttled(body)):
                    return Answer(status, headers, body, repeated)
                repeated = repeated or status >= HTTPStatus.INTERNAL_SERVER_ERROR
                failure = Unavailable(f"{_NAMES[at.service]} is too busy to answer (status {status}); ask again later.")
            pause = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))  # noqa: S311 - no secret
            if self._clock() + pause >= deadline:
                break
            self._sleep(pause)
        raise failure

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        self._connections.close()

    def _once(self, at: Endpoint, ask: Ask, deadline: float, share: float) -> tuple[int, HTTPMessage, bytes]:
        headers = signed_headers(
            ask.method,
            ask.url,
            ask.headers,
            ask.body,
            service=at.service,
            region=at.region,
            credentials=self._credentials(),
        )
        step = max(0.001, min(share, deadline - self._clock()))
        return self._connections.exchange(ask.method, ask.url, headers, ask.body, step=step, deadline=deadline)


def _throttled(body: bytes) -> bool:
    return any(word in body[:1_000] for word in _THROTTLED)


def _lost(at: Endpoint, error: Exception) -> Unavailable:
    """Name the kind of a failure; its own text holds addresses, and perhaps more."""
    timeout = isinstance(error, TimeoutError)
    kind = "timeout" if timeout else type(error).__name__
    return Unavailable(f"{_NAMES[at.service]} does not answer ({kind}); ask again later.", timeout=timeout)
