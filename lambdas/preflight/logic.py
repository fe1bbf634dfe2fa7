"""The preflight: warm the new version, then try it; all within the time of one invocation."""

from collections.abc import Callable
from dataclasses import dataclass

from ebb.shift.hook import TELL_SECONDS
from ebb.shift.trial import ANSWER_SECONDS, Trial
from lambdas.preflight.warming import Warming

TRIAL_SECONDS = 4 * ANSWER_SECONDS
"""Kept for the trial: what names releases, a release that is slow to load, what serves, and one answer to spare."""


@dataclass(frozen=True)
class Preflight:
    """Prepares a version for its traffic.

    Args:
        warming: raises its capacity.
        trial: makes the trial; is given what tells the seconds left for it.
    """

    warming: Warming
    trial: Callable[[Callable[[], float]], Trial]

    def run(self, left: Callable[[], float]) -> str:
        """Warm the version and try it; return what was seen.

        Args:
            left: returns the seconds that are left of the invocation.

        Raises:
            EbbError: the shift must not begin.
        """
        warm = self.warming.hold(wait_seconds(left()))
        tried = self.trial(lambda: left() - TELL_SECONDS).hold()
        return f"{warm}; {tried}"


def wait_seconds(left: float) -> float:
    """Return how long the warming may wait, of the seconds left for the whole invocation."""
    return left - TRIAL_SECONDS - TELL_SECONDS
