"""An invocation: what was asked, and how it ended."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from typing import NamedTuple


class Kind(Enum):
    """How an invocation ended."""

    ANSWERED = auto()
    FUNCTION_ERROR = auto()
    THROTTLED = auto()
    CRASHED = auto()
    TIMED_OUT = auto()


class Invocation(NamedTuple):
    """The end of one invocation.

    Attributes:
        kind: how it ended.
        body: the function's answer, or AWS's error document (JSON).
        request_id: Lambda's request id.
        began: whether an environment had taken it up (one that had not can be tried again safely).
    """

    kind: Kind
    body: bytes
    request_id: str
    began: bool = True


@dataclass(slots=True)
class Pending:
    """An invocation that has not ended.

    Attributes:
        request_id: Lambda's request id.
        payload: the event (JSON).
        done: called once, with the end.
        expires: loop time until which it may wait for an environment.
        began: whether an environment has taken it up.
    """

    request_id: str
    payload: bytes
    done: Callable[[Invocation], None]
    expires: float
    began: bool = False

    def end(self, kind: Kind, body: bytes) -> None:
        """Report the end to the caller."""
        self.done(Invocation(kind, body, self.request_id, self.began))


class RequestIds:
    """Request ids in the form of a version 4 UUID: random for the process, then counted (0.3 us, not 2)."""

    def __init__(self) -> None:
        base = os.urandom(10).hex()
        self.prefix = f"{base[:8]}-{base[8:12]}-4{base[12:15]}-8{base[15:18]}-"
        self.numbers = count(1)

    def take(self) -> str:
        """Return the next id."""
        return f"{self.prefix}{next(self.numbers):012x}"
