"""The generic cell rate algorithm in this process, for when the shared limiter cannot be asked.

Each client has a theoretical arrival time; a request that comes too long before it must wait (ITU-T I.371, annex A).
A request that counts for several is admitted whenever one of them would be, and moves that time by all of them.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from ebb.plans import Allowance, Plans

_CLIENTS = 4_096
"""Remembered at once; the one that asked longest ago is forgotten first."""

_ROUNDING = 1e-9
"""Seconds; less than the rounding of sums of clock readings may not cost a request."""


class RateLimiter:
    """Counts the requests of each client in this process; quotas of a day are known only to the shared limiter.

    Args:
        plans: what each may ask.
        clock: monotonic seconds.
    """

    def __init__(self, plans: Plans, clock: Callable[[], float] = time.monotonic) -> None:
        self.plans, self._clock = plans, clock
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str, cost: int = 1) -> Allowance:
        """Count `cost` requests; or none of them, where the client owes more than its burst."""
        plan, now = self.plans.of(client), self._clock()
        debt = max(self._arrivals.get(client, now) - now, 0.0)
        if debt - plan.tolerance > _ROUNDING:
            return plan.refused_by_rate(debt)
        debt += cost * plan.step
        self._arrivals[client] = now + debt
        self._arrivals.move_to_end(client)
        if len(self._arrivals) > _CLIENTS:
            self._arrivals.popitem(last=False)
        return plan.admitted(debt)
