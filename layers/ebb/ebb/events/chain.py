"""The chain of one environment's prediction events: each names its number and the hash of the one before.

Environments know nothing of each other, so each has a chain of its own. An environment may vanish at any time, so a
chain may end anywhere; within it no event can be taken out, put in, moved or altered without a break.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

NOTHING = "0" * 64
"""Stands for the hash of the event before the first."""

_ENVIRONMENT = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class Link:
    """One event's place in a chain.

    Attributes:
        environment: whose chain, 16 hex digits.
        sequence: the event's number, from 1.
        previous: sha256 of the bytes of the event before, 64 hex digits; `NOTHING` for the first.
    """

    environment: str
    sequence: int
    previous: str

    def after(self, event: bytes) -> "Link":
        """Return the next place, once these bytes took this one."""
        return Link(self.environment, self.sequence + 1, sha256(event).hexdigest())


def first(environment: str) -> Link:
    """Return the first place of an environment's chain.

    Raises:
        ValueError: an environment's id is 16 hex digits; this is none.
    """
    if not _ENVIRONMENT.fullmatch(environment):
        raise ValueError(f"an environment's id is 16 hex digits: {environment!r} is none")
    return Link(environment, 1, NOTHING)


class Chain:
    """Where this process stands in its chain.

    Args:
        environment: a fresh random id, 16 hex digits.
    """

    def __init__(self, environment: str) -> None:
        self._next = first(environment)

    @property
    def next(self) -> Link:
        """Return the place of the next event."""
        return self._next

    def advance(self, link: Link) -> None:
        """Go on at `link`: all the events before it are durable."""
        self._next = link

    def leave(self) -> None:
        """Leave the chain where it is and start another.

        After a write that failed nobody knows which of its events are in the log. A number used a second time would
        look like a fork, so the numbers are not used again: the old chain keeps an open end, and the new one's id
        follows from the old one's, so that a reader can tell which chain went on as which.
        """
        self._next = first(successor(self._next.environment))


def successor(environment: str) -> str:
    """Return the id under which an environment goes on after a write that failed, 16 hex digits."""
    return sha256(b"ebb: after a failed write " + environment.encode()).hexdigest()[:16]
