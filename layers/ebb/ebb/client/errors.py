"""What can go wrong with a call, as exceptions that say what to do next.

CallFailed
├── Refused               the same call would be refused again
│   ├── BadCall           400, 413, 415, 422: what was sent does not fit; `refusals` names the features
│   ├── Unauthorized      401: no token, or one that is not valid
│   ├── Forbidden         403: the token lacks a scope
│   ├── NotFound          404: no such route
│   │   └── UnknownEntity     no features are held for this entity
│   ├── Conflict          409: somebody else was first
│   │   ├── StaleFeatures     a feature is older than the contract allows
│   │   └── UnderWay          the same write is still being worked on
│   └── RateLimited       429: this client asks too often; `retry_after` says when it may again
├── ServerTrouble         5xx: nothing is wrong with the call
│   └── Unavailable       503, 504: a server that is needed does not answer
├── Unreachable           no endpoint took the connection, or it broke before an answer came
├── DeadlineExceeded      the call's deadline passed
├── TokenUnavailable      no token can be had
└── OddAnswer             an answer that is none of Ebb's
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ebb.errors import EbbError


class CallFailed(EbbError):
    """Base of everything that a call can end with instead of its answer.

    Attributes:
        detail: what happened, as the server says it, or as seen from here.
        next_step: what to do about it.
        status: HTTP status; None where no answer came.
        problem: last part of the RFC 9457 type, such as `stale-features`; empty where the function did not answer.
        correlation_id: names the call in the server's logs; empty where no answer came.
        request_id: names the call over all its tries and hedges, as sent in `ebb-request-id`.
        retry_after: seconds, where the server says them.
        refusals: the features that the contract refuses, with reasons.
    """

    next_step = "Give the correlation id to whoever runs the service."

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        problem: str = "",
        correlation_id: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        refusals: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.detail, self.status, self.problem = detail, status, problem
        self.correlation_id, self.request_id = correlation_id, request_id
        self.retry_after, self.refusals = retry_after, tuple(refusals)
        named = f" (correlation id {correlation_id})" if correlation_id else ""
        super().__init__(f"{detail.rstrip('.')}{named}. {self.next_step}")


class Refused(CallFailed):
    """The call itself is at fault, and would be refused again."""

    next_step = "Change the call; the same again is refused again."


class BadCall(Refused):
    """What was sent does not fit the contract or the call."""

    next_step = "Correct what was sent; `refusals` names the features where a value is at fault."


class Unauthorized(Refused):
    """There is no token, or it is not valid, also after it was renewed."""

    next_step = "Check the token: its issuer, audience and expiry, or the client's id and secret."


class Forbidden(Refused):
    """The token lacks the scope that this call needs."""

    next_step = "Ask for a token with the scope that this call needs."


class NotFound(Refused):
    """There is no such route at this endpoint."""

    next_step = "Check the endpoint's address: it ends before `/v1`."


class UnknownEntity(NotFound):
    """No features are held for this entity."""

    next_step = "Write its features first, or send them with the prediction."


class Conflict(Refused):
    """The call collides with what somebody else did."""

    next_step = "Look at the present state, then decide whether to send it again."


class StaleFeatures(Conflict):
    """A stored value is older than the contract allows."""

    next_step = "Write a newer value, or send one with the prediction."


class UnderWay(Conflict):
    """The same write is still being worked on."""

    next_step = "Send the same again, with the same idempotency key, after `retry_after` seconds."


class RateLimited(Refused):
    """This client asks too often."""

    next_step = "Ask again after `retry_after` seconds, and less often."


class ServerTrouble(CallFailed):
    """Something went wrong on the other side."""

    next_step = "Send the same again later; sent twice it changes nothing."


class Unavailable(ServerTrouble):
    """A server that is needed does not answer."""


class Unreachable(CallFailed):
    """No endpoint took the connection, or it broke before an answer came."""

    next_step = "Check the endpoints and the network; the same call may be sent again."


class DeadlineExceeded(CallFailed):
    """The deadline of the call passed; a write may have happened all the same."""

    next_step = "Send it again, a write with the same idempotency key, or allow a longer deadline."


class TokenUnavailable(CallFailed):
    """No token can be had, so nothing was asked."""

    next_step = "Check the token endpoint, the client's id and its secret."


class OddAnswer(CallFailed):
    """An answer that is none of Ebb's."""

    next_step = "Check that the endpoint is Ebb's, and that no proxy answers in its place."
