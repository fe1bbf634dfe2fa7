"""What the client library raises, in Ebb's own words."""

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as NoAnswer

from ebb.errors import Unavailable

FAILURES = (RedisError, OSError)
"""What a lost, silent or refusing server raises."""

_NAMES = {
    AuthenticationError: "NOAUTH",
    BusyLoadingError: "LOADING",
    NoScriptError: "NOSCRIPT",
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
}
"""The library takes these words off the server's sentence."""


def unavailable(error: Exception) -> Unavailable:
    """Return what a failure means to callers; the server's own sentence, which may quote keys, stays out."""
    if isinstance(error, Unavailable):
        return error
    timeout = isinstance(error, NoAnswer | TimeoutError)
    name = "timeout" if timeout else refusal_name(error)
    return Unavailable(f"Valkey does not answer ({name}); it is asked again within a second.", timeout=timeout)


def refusal_name(error: Exception) -> str:
    """Return the server's word for why it refuses, such as MISCONF; else the kind of failure."""
    for kind, name in _NAMES.items():
        if isinstance(error, kind):
            return name
    word = str(error).partition(" ")[0]
    if isinstance(error, ResponseError) and word.isalpha() and word.isupper():
        return word
    return type(error).__name__
