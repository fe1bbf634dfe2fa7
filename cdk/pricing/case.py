"""All that a rule needs to know: prices, figures, the load, the templates, and what follows from them together."""

import math
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cdk.pricing.book import Price, Prices, read_prices
from cdk.pricing.errors import PricingError
from cdk.pricing.line import Line, Shared
from cdk.pricing.load import Load
from cdk.pricing.measured import Measured, read_measured
from cdk.pricing.regions import by_region, share_of
from cdk.pricing.templates import Resource, Templates
from cdk.stage import REQUESTS_AN_ENVIRONMENT

GB = 2**30
ONE_CORE_MB = 1_769
"""Memory at which an environment has one whole core ("Configure Lambda function memory")."""
_HALF_MS = 0.5
"""What rounding up to whole milliseconds adds on average."""
_CRON_HOUR = re.compile(r"cron\(\S+ (\d+) ")
_PREDICT, _RECORDS = "lambdas.predict.", "lambdas.records."


@dataclass(frozen=True)
class Case:
    """One stage under one load.

    Attributes:
        templates, load, prices, measured: what the price is made of.
        brought: writes a second that come from another region, which takes none itself.
    """

    templates: Templates
    load: Load
    prices: Prices = field(default_factory=read_prices)
    measured: Measured = field(default_factory=read_measured)
    brought: float = 0.0

    def line(  # noqa: PLR0917 - as it reads on a bill
        self, part: str, component: str, what: str, quantity: float, price: str, shared: Shared = "requests"
    ) -> Line:
        """Return a line at a price of the list."""
        found: Price = self.prices[price]
        return Line(part, component, what, quantity, found.unit, found.of(quantity), shared)

    @cached_property
    def regions(self) -> "tuple[Case, ...]":
        """The stage in each of its regions; itself where it has one."""
        found = by_region(self.templates).values()
        if len(found) <= 1:
            return (self,)
        cases = [replace(self, templates=templates, load=share_of(self.load, len(found))) for templates in found]
        brought = sum(case.writes for case in cases if not case.writes_here)
        return tuple(replace(case, brought=brought) if case.writes_here else case for case in cases)

    @cached_property
    def writes_here(self) -> bool:
        """Whether the function that writes stands here."""
        functions = self.templates.of("AWS::Lambda::Function")
        return any(str(function.properties.get("Handler", "")).startswith(_RECORDS) for function in functions)

    @cached_property
    def predict(self) -> Resource:
        """The function that answers predictions.

        Raises:
            PricingError: the templates have none.
        """
        for function in self.templates.of("AWS::Lambda::Function"):
            if str(function.properties.get("Handler", "")).startswith(_PREDICT):
                return function
        raise PricingError(f"the templates have no function whose handler begins with {_PREDICT!r}: nothing to price")

    @cached_property
    def memory_mb(self) -> int:
        """Memory of the prediction function."""
        return memory_of(self.predict)

    @property
    def single_seconds(self) -> float:
        """What a prediction is billed for."""
        return self._seconds(self.measured["predict_cpu"])

    @property
    def batch_seconds(self) -> float:
        """What a batch is billed for: one call's own work, and its rows'."""
        return self._seconds(self.measured["predict_cpu"] + self.measured["batch_row_cpu"] * self.load.rows)

    @property
    def needed(self) -> int:
        """Environments for the capacity that the load uses a share of.

        Each takes 10 requests a second however fast it is, and fewer where they are slow.
        """
        least = 1 / REQUESTS_AN_ENVIRONMENT
        busy = self.load.rps * max(least, self.single_seconds) + self.load.batches * max(least, self.batch_seconds)
        return math.ceil(round(busy / self.load.utilisation, 6))

    @cached_property
    def held(self) -> float:
        """Warm environments, the mean of the day: those that are needed, and never fewer than the schedule keeps."""
        if len(self.regions) > 1:
            return sum(case.held for case in self.regions)
        return sum(max(self.needed, floor) for floor in self.floors) / len(self.floors)

    @cached_property
    def floors(self) -> tuple[int, ...]:
        """The least capacity in each hour of the day, as the scalable target and its schedule say."""
        targets = self.templates.of("AWS::ApplicationAutoScaling::ScalableTarget")
        if not targets:
            return (0,) * 24
        target = targets[0].properties
        actions = {
            hour_of(action): int(action["ScalableTargetAction"]["MinCapacity"])
            for action in target.get("ScheduledActions", [])
        }
        if not actions:
            return (int(target["MinCapacity"]),) * 24
        return tuple(actions[max((at for at in actions if at <= hour), default=max(actions))] for hour in range(24))

    @property
    def most(self) -> int | None:
        """Environments to which one region may scale, which alone takes all; None where it does not scale."""
        targets = self.templates.of("AWS::ApplicationAutoScaling::ScalableTarget")
        return int(targets[0].properties["MaxCapacity"]) if targets else None

    @property
    def writes(self) -> float:
        """Requests a second to the function that keeps records, wherever that stands."""
        return self.load.rps * self.measured["writes"] + self.brought

    def _seconds(self, cpu_us: float) -> float:
        core = min(1.0, self.memory_mb / ONE_CORE_MB)
        return (cpu_us / 1e3 / core + self.measured["wait"] + _HALF_MS) / 1e3


def memory_of(function: Resource) -> int:
    """Return a function's memory, MB."""
    return int(function.properties.get("MemorySize", 128))


def architecture_of(function: Resource) -> str:
    """Return a function's processor as prices name it."""
    return str((function.properties.get("Architectures") or ["x86_64"])[0])


def hour_of(action: dict[str, Any]) -> int:
    """Return the hour of the day at which a scheduled action sets a capacity.

    Raises:
        PricingError: it is no daily one.
    """
    found = _CRON_HOUR.match(str(action["Schedule"]))
    if found is None:
        raise PricingError(f"the schedule {action['Schedule']!r} is no hour of the day: say how it is priced")
    return int(found.group(1))
