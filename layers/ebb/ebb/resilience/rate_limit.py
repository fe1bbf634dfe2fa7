"""The generic cell rate algorithm in this process, for when the shared limiter cannot be asked.

Each client has a theoretical arrival time; a request that comes too long before it must wait (ITU-T I.371, annex A).
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_CLIENTS = 4_096
"""Remembered at once; the one that asked longest ago is forgotten first."""

_ROUNDING = 1e-9
"""Seconds; less than the rounding of sums of clock readings may not cost a request."""


@dataclass(frozen=True)
class RateLimit:
    """What one client may ask.

    Attributes:
        per_second: sustained requests a second.
        burst: requests at once on top.
    """

    per_second: float
    burst: float


class RateLimiter:
    """Counts the requests of each client in this process.

    Args:
        limit: what each may ask.
        clock: monotonic seconds.
    """

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = 1.0 / limit.per_second
        self._tolerance = limit.burst * self._step
        self._clock = clock
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str) -> float:
        """Count one request and return 0; or, where it is one too many, the seconds until the next may come."""
        now = self._clock()
        due = max(self._arrivals.get(client, now), now)
        wait = due - now - self._tolerance
        if wait > _ROUNDING:
            return wait
        self._arrivals[client] = due + self._step
        self._arrivals.move_to_end(client)
        if len(self._arrivals) > _CLIENTS:
            self._arrivals.popitem(last=False)
        return 0.0
