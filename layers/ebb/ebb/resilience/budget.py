"""Token buckets: how often something costly may be done."""

import time
from collections.abc import Callable


class RateBudget:
    """So many a second, with a burst.

    Args:
        per_second: tokens that come back each second.
        burst: the most tokens.
        clock: monotonic seconds.
    """

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._tokens, self._at = burst, clock()

    def take(self) -> bool:
        """Take one token, if there is one."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class ShareBudget:
    """So large a share of all calls, with a burst (as the retry budgets of Finagle and gRPC).

    Args:
        share: tokens that each call brings.
        burst: the most tokens.
    """

    def __init__(self, share: float, burst: float) -> None:
        self._share, self._burst = share, burst
        self._tokens = 1.0

    def called(self) -> None:
        """Note one ordinary call."""
        self._tokens = min(self._burst, self._tokens + self._share)

    def take(self) -> bool:
        """Take one token for an extra call, if there is one."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
