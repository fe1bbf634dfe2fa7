"""The rate limit in its plainest words, beside which the fast ones are judged."""

from dataclasses import dataclass, field

from ebb.plans import Plan


@dataclass
class NaiveLimit:
    """Remembers every admitted request of one client, and adds up from the first what is still owed."""

    plan: Plan
    admitted: list[tuple[float, int]] = field(default_factory=list)

    def owed(self, now: float) -> float:
        """Return the requests that are not paid for yet: each is worth one, and `rate` a second are paid."""
        owed, before = 0.0, 0.0
        for at, cost in self.admitted:
            owed = max(0.0, owed - (at - before) * self.plan.rate) + cost
            before = at
        return max(0.0, owed - (now - before) * self.plan.rate)

    def asks(self, now: float, cost: int) -> bool:
        """Tell whether a client that owes no more than its burst may ask; it then owes `cost` more."""
        if self.owed(now) > self.plan.burst + 1e-6:
            return False
        self.admitted.append((now, cost))
        return True
