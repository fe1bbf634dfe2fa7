"""How often each task is due, however often the function is invoked."""

from collections.abc import Callable, Mapping

EVERY: Mapping[str, float] = {
    "routing": 0.0,
    "follow": 0.0,
    "repair": 0.0,
    "refresh": 60.0,
    "refill": 0.0,
    "months": 3600.0,
    "check": 60.0,
    "keys": 600.0,
    "changes": 0.0,
}
"""Seconds from one run of a task to the next; 0 with every invocation."""

SHARE_OF_LIFE = 0.1
"""Hot entities are renewed when so much of the shortest life has passed."""

MOST_OFTEN_SECONDS = 1.0


class Intervals:
    """Remembers when each task ran last in this environment; a new one runs each at once.

    Args:
        shortest_ttl: the smallest ttl of a feature, seconds; None where none has one.
        clock: monotonic seconds.
    """

    def __init__(self, shortest_ttl: float | None, clock: Callable[[], float]) -> None:
        self._clock, self._ran = clock, dict[str, float]()
        refresh = EVERY["refresh"]
        if shortest_ttl is not None:
            refresh = max(min(refresh, shortest_ttl * SHARE_OF_LIFE), MOST_OFTEN_SECONDS)
        self._every = {**EVERY, "refresh": refresh}

    def is_due(self, task: str) -> bool:
        """Say whether a task is due, and count it as run if so."""
        now = self._clock()
        if task in self._ran and now - self._ran[task] < self._every[task]:
            return False
        self._ran[task] = now
        return True
