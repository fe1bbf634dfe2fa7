"""A feature store around in-memory tiers, whose time the test sets."""

from collections import Counter
from dataclasses import dataclass, field

from ebb.plans import Plan, Plans
from ebb.resilience.breaker import Breaker
from ebb.resilience.budget import RateBudget
from ebb.resilience.rate_limit import RateLimiter
from ebb.store.fallback import DurableFallback
from ebb.store.last_known import LastKnown
from ebb.store.store import FeatureStore
from tests.fakes.durable import MemoryDurable
from tests.fakes.fast import MemoryFast

UNLIMITED = Plan(1e6, 1e6)


@dataclass
class Clock:
    """Seconds, as far as the test moved them."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Counted:
    """`Signals` that remember."""

    counts: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    measured: dict[str, list[float]] = field(default_factory=dict)

    def count(self, name: str, by: float = 1) -> None:
        self.counts[name] += int(by)
        self.amounts[name] = self.amounts.get(name, 0.0) + by

    def observe(self, name: str, value: float) -> None:
        self.measured.setdefault(name, []).append(value)

    def gauge(self, name: str, value: float) -> None:
        self.gauges[name] = value


@dataclass
class MemoryStore:
    """A real `FeatureStore` on fakes; one clock for all of it."""

    clock: Clock = field(default_factory=Clock)
    signals: Counted = field(default_factory=Counted)
    reads_per_second: float = 1e6
    plan: Plan = UNLIMITED

    def __post_init__(self) -> None:
        self.fast = MemoryFast(clock=self.clock)
        self.durable = MemoryDurable(clock=self.clock)
        self.store = self.another()

    def another(self) -> FeatureStore:
        """Return the store of one more process on the same tiers."""
        budget = RateBudget(self.reads_per_second, self.reads_per_second, self.clock)
        breaker = Breaker("postgres", self.signals, clock=self.clock)
        return FeatureStore(
            self.fast,
            self.durable,
            fallback=DurableFallback(self.durable, breaker, budget, self.signals),
            cache=LastKnown(clock=self.clock),
            limiter=RateLimiter(Plans(self.plan), self.clock),
            signals=self.signals,
        )
