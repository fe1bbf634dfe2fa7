"""Turns of Python's threads while one of them loads."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 0.0005
"""A request waits no longer than this for a load in the same process (Python's own default is ten times as much)."""


@contextmanager
def short_turns() -> Iterator[None]:
    """Let other threads have their turn sooner while this one works."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
