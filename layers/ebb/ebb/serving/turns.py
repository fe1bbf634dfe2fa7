"""Turns of Python's threads while one of them loads."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 0.0001
"""A request that comes back from the network waits no longer than this for a load in the same process.

Python's own default is fifty times as much, and a request comes back some six times.
"""


@contextmanager
def short_turns() -> Iterator[None]:
    """Let other threads have their turn sooner while this one works."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
