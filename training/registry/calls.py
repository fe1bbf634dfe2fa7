"""Calls to MLflow: bounded in time, and every failure one sentence."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ebb.errors import Unavailable

PATIENCE = 60.0
"""Seconds that a registry may take for all calls of one command together; each has a bound of its own besides."""

_LONGEST = 200
_SECRET = re.compile(r"//[^/@\s]+@")


class Calls:
    """The time that is left for a registry.

    Args:
        seconds: for everything from now on.
    """

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Run one call, or a few quick ones.

        Raises:
            Unavailable: it failed, or the time is used up; says why, without credentials of an address.
        """
        if time.monotonic() > self._end:
            raise Unavailable(f"the registry (MLflow) took longer than {self._seconds:g} s", timeout=True)
        try:
            yield
        except Unavailable:
            raise
        except Exception as error:  # MLflow, SQLAlchemy, alembic and requests raise types that share nothing else
            raise Unavailable(f"the registry (MLflow) failed: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return the first line of an error, short and without credentials; its type where it has none."""
    first = (str(error).strip().splitlines() or [""])[0].partition(" with exception HTTPConnectionPool")[0]
    return _SECRET.sub("//***@", first)[:_LONGEST] or type(error).__name__
