"""What a call that failed is told as: whom it went to, what was said, what to do next."""

from ebb.client import errors
from ebb.errors import EbbError, Unavailable
from local.calling.entrance import Entrance, Purpose


class Refused(EbbError):
    """The call was answered with a problem.

    Attributes:
        status: HTTP status.
        problem: last part of the problem's type; empty where the gateway itself answered.
    """

    def __init__(self, message: str, status: int = 0, problem: str = "") -> None:
        self.status, self.problem = status, problem
        super().__init__(message)


def sentence_of(failure: errors.CallFailed, entrance: Entrance, purpose: Purpose) -> EbbError:
    """Return the error that tells people of a failed call.

    Args:
        failure: how it ended.
        entrance: where it went in.
        purpose: what it was for.
    """
    told, detail = entrance.told, failure.detail.rstrip(".")
    if isinstance(failure, errors.TokenUnavailable):
        return Unavailable(f"there is no token for {told}: {detail}. {_about_token(failure, purpose)}")
    if isinstance(failure, errors.Unreachable | errors.DeadlineExceeded):
        return Unavailable(f"{told} at {entrance.address} does not answer ({detail}): {entrance.hint}")
    if isinstance(failure, errors.OddAnswer):
        return Unavailable(f"what answers at {entrance.address} is not Ebb's gateway ({detail}): {entrance.hint}")
    whole = detail if str(failure.status) in detail else f"{failure.status} {detail}"
    return Refused(f"{whole}{_next(failure, entrance, purpose)}", failure.status or 0, failure.problem)


def _about_token(failure: errors.TokenUnavailable, purpose: Purpose) -> str:
    scopes = " and ".join(repr(scope) for scope in purpose.scopes)
    if failure.status is None:
        return "Check the address of the token endpoint, and the network"
    if "invalid_scope" in failure.detail:
        return f"The client may not have the scope {scopes}: use the client {purpose.program!r}, or one that may"
    return f"The client {purpose.program!r} asked for the scope {scopes}: check its id and its secret"


def _next(failure: errors.CallFailed, entrance: Entrance, purpose: Purpose) -> str:
    if isinstance(failure, errors.Unauthorized):
        return f": {entrance.told} does not take this token; check who issued it, for which audience, and its end"
    if isinstance(failure, errors.Forbidden):
        scopes = " and ".join(repr(scope) for scope in purpose.scopes)
        return f"; the client {purpose.program!r} of a stage has {scopes}"
    if isinstance(failure, errors.NotFound) and not failure.problem:
        return f": {entrance.address} has no such route; check the address, or deploy the newest code there"
    if isinstance(failure, errors.ServerTrouble) and failure.correlation_id and failure.problem != "no-release":
        return f" (correlation id {failure.correlation_id}, for the function's log)"
    return ""
