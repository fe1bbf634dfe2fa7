"""What can go wrong, in Ebb's own words; nothing here knows HTTP.

    EbbError
    ├── Misuse              the command or call was used wrongly
    ├── ContractError       the contract's text cannot be used; names the line
    ├── DataError           a table does not fit: names column, row, value
    │   └── GateRefused     a release gate said no: names the gate and by how much
    ├── ReleaseError        a release folder cannot be trusted or found
    │   └── NoRelease       there is no release yet
    ├── RoutingError        a routing table cannot be what is asked; says why
    ├── Conflict            somebody else was first
    │   └── UnderWay        the same is still being worked on; says when to ask again
    ├── BadFeatures         feature values that the contract refuses
    ├── StaleFeatures       a value is older than its max_age, and the contract says refuse
    ├── UnknownEntity       no features are held for this entity
    ├── RateLimited         the client asks too often; says when it may again
    ├── NotAllowed          the caller lacks the scope
    ├── UnknownRoute        there is no such call
    ├── BadRequest          a request that cannot be read
    │   ├── TooLarge        a body over the limit
    │   ├── UnsupportedMedia  a body that is not sent as JSON
    │   ├── KeyReused       an idempotency key that stands for another request
    │   └── BadShape        readable, but not of the call's shape
    └── Unavailable         a server that is needed does not answer

Every message is a sentence or two for people: what happened, to which input, what to do next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class EbbError(Exception):
    """Base of everything that Ebb refuses with a sentence."""


class Misuse(EbbError):
    """The command or call was used wrongly; the command exits with 2."""


class ContractError(EbbError):
    """The contract's text cannot be used.

    Attributes:
        line: 1-based line of the contract the message is about; None where no line can be named.
    """

    def __init__(self, message: str, line: int | None = None, source: str = "contract") -> None:
        self.line = line
        where = f"{source}, line {line}: " if line else f"{source}: "
        super().__init__(where + message)


class DataError(EbbError):
    """A table does not fit its contract, or cannot be read at all."""


class GateRefused(DataError):
    """A gate of the contract refused a release that was trained.

    Attributes:
        gates: every gate with its verdict, where all were judged.
    """

    def __init__(self, message: str, gates: Sequence[Any] = ()) -> None:
        self.gates = tuple(gates)
        super().__init__(message)


class ReleaseError(EbbError):
    """A release folder is missing, altered, incomplete or belongs to another contract."""


class NoRelease(ReleaseError):
    """There is no release yet for the contract that is served."""


class RoutingError(EbbError):
    """A routing table is none, or cannot become what is asked; the old one stands."""


class Conflict(EbbError):
    """What is asked collides with what somebody else did, or is still doing."""


class UnderWay(Conflict):
    """The same request is still being worked on.

    Attributes:
        wait: seconds until its answer can be expected.
    """

    def __init__(self, message: str, wait: float) -> None:
        self.wait = wait
        super().__init__(message)


@dataclass(frozen=True)
class Refusal:
    """One feature value that the contract refuses.

    Attributes:
        feature: the feature's name.
        reason: why, without the value itself (it may be personal).
    """

    feature: str
    reason: str


MOST_REFUSALS = 100


class BadFeatures(EbbError):
    """Feature values that the contract refuses; `refusals` names each, but no more than `MOST_REFUSALS`.

    A body of a million wrong names would otherwise be answered with one many times its size.
    """

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals[:MOST_REFUSALS])
        told = [f"{r.feature}: {r.reason}" for r in self.refusals]
        if len(refusals) > MOST_REFUSALS:
            told.append(f"and {len(refusals) - MOST_REFUSALS:,} more")
        super().__init__("; ".join(told))


class StaleFeatures(EbbError):
    """A stored value is older than its `max_age`, and the contract says `refuse`."""


class UnknownEntity(EbbError):
    """No features are held for this entity, and the request brought none."""


class RateLimited(EbbError):
    """The client asks more often than its plan allows; `ebb.plans` knows what the figures mean.

    Attributes:
        wait: seconds until it may ask again.
        limit: which limit refused, `rate` or `quota`.
        rate, burst: of the plan: sustained requests a second, and requests at once on top.
        daily: requests of one day; None without a quota.
        remaining: requests that the rate allows at once now.
        reset: seconds until the rate allows a whole burst again; where the quota refused, until the next day.
        quota_left: requests left of today; None where there is no quota, or where nobody knows.
    """

    def __init__(
        self,
        wait: float,
        *,
        limit: str = "rate",
        rate: float = 0.0,
        burst: float = 0.0,
        daily: int | None = None,
        remaining: int = 0,
        reset: float = 0.0,
        quota_left: int | None = None,
    ) -> None:
        self.wait, self.limit = wait, limit
        self.rate, self.burst, self.daily = rate, burst, daily
        self.remaining, self.reset, self.quota_left = remaining, reset, quota_left
        what = "this client has used its quota of today" if limit == "quota" else "this client asks too often"
        super().__init__(f"{what}: ask again in {wait:.3f} s")


class NotAllowed(EbbError):
    """The caller's token lacks the scope that this call needs."""


class UnknownRoute(EbbError):
    """There is no such call."""


class BadRequest(EbbError):
    """A request that cannot be read as what the call expects."""


class TooLarge(BadRequest):
    """A request body over the limit."""


class UnsupportedMedia(BadRequest):
    """A request body that is not sent as JSON."""


class KeyReused(BadRequest):
    """An idempotency key that was already sent with another request."""


class BadShape(BadRequest):
    """A body, header or parameter that can be read, but is not what the call expects."""


class Unavailable(EbbError):
    """A server that is needed does not answer.

    Attributes:
        timeout: whether it stayed silent; False where it refused, or was not even there.
    """

    def __init__(self, message: str = "", *, timeout: bool = False) -> None:
        self.timeout = timeout
        super().__init__(message)
