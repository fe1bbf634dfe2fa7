"""How an endpoint stands: one that failed several times in a row is asked last for a while.

Unlike a server's breaker (`ebb.resilience.breaker`) it refuses nothing: where all endpoints are in trouble the first is
asked all the same, and the retry budget keeps that in bounds.
"""

import time
from collections.abc import Callable

FAILURES, REST_SECONDS = 3, 1.0


class Standing:
    """Failures of one endpoint in a row.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._again = 0.0

    @property
    def fit(self) -> bool:
        """Whether the endpoint is asked in its turn; after a rest one call an interval is."""
        return self._failures < FAILURES or self._clock() >= self._again

    def asked(self) -> None:
        """Note that it is asked: until that is answered, others go elsewhere."""
        if self._failures >= FAILURES:
            self._again = self._clock() + REST_SECONDS

    def succeeded(self) -> None:
        """Note an answer."""
        self._failures = 0

    def failed(self) -> None:
        """Note that it was silent too long, not there, or said itself that it cannot."""
        self._failures += 1
        self._again = self._clock() + REST_SECONDS
