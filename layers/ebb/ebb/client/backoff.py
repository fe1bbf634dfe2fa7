"""When a failed try is repeated, and how often that may happen over all calls."""

from ebb.client.policy import Policy
from ebb.resilience.budget import ShareBudget

_DOUBLINGS = 30


def pause(policy: Policy, retry: int, retry_after: float | None, draw: float) -> float:
    """Return the seconds before a retry.

    Exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), on top of
    what the server asks for, so that those it told the same do not come back together.

    Args:
        policy: the range.
        retry: counted from 0.
        retry_after: seconds that the server asks for.
        draw: 0 to 1, evenly distributed.
    """
    widest: float = min(policy.backoff_cap, policy.backoff * 2.0 ** min(retry, _DOUBLINGS))
    return (retry_after or 0.0) + draw * widest


class FullBudget(ShareBudget):
    """A budget that holds its burst from the start: a client's first calls may fail as any other."""

    def __init__(self, share: float, burst: float) -> None:
        super().__init__(share, burst)
        self._tokens = burst
