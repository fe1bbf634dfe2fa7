"""When a failed try is repeated, and how often that may happen over all calls."""

from math import ceil

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
    widest = min(policy.backoff_cap, policy.backoff * 2 ** min(retry, _DOUBLINGS))
    return (retry_after or 0.0) + draw * widest


def full_budget(share: float, burst: float) -> ShareBudget:
    """Return a budget that holds its burst from the start: a client's first calls may fail as any other."""
    budget = ShareBudget(share, burst)
    for _ in range(ceil(burst / share) if share else 0):
        budget.called()
    return budget
