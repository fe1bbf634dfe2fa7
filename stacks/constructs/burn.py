"""How fast the error budget burns, over two windows at once: the long one says it matters, the short one it goes on.

Rates and windows are those of the Google SRE workbook, chapter 5 "Alerting on SLOs", section 6 "Multiwindow,
Multi-Burn-Rate Alerts": a month's budget burnt by 2 % in an hour or by 5 % in six calls somebody, by 10 % in a day
or in three days can wait until the morning.
"""

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk.stage import Stage
from stacks.constructs.alarm_table import FINE, OBJECTIVE, Alarm, Told
from stacks.constructs.alarms import all_of, make_alarm, make_composite
from stacks.constructs.signals import Measure, derived

_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True)
class Burn:
    """One pair of windows.

    Attributes:
        name: of the alarm, after "burn-".
        rate: how many times faster than allowed, over the whole month, the budget burns.
        long, short: windows in seconds.
        told: who hears of it.
        days: how many long windows in a row must burn: a point of an alarm stands for a day at most.
    """

    name: str
    rate: float
    long: int
    short: int
    told: Told
    days: int = 1


BURNS = (
    Burn("hour", 14.4, _HOUR, 300, "page"),
    Burn("six-hours", 6, 6 * _HOUR, 1_800, "page"),
    Burn("day", 3, _DAY, 2 * _HOUR, "ticket"),
    Burn("three-days", 1, _DAY, 6 * _HOUR, "ticket", days=3),
)
"""From the quickest to the slowest."""


def burn_rate(errors: Measure, requests: Measure, least: int) -> cloudwatch.MathExpression:
    """Return how many times faster than allowed errors come; 0 where there are too few requests to judge by."""
    budget = f"{1 - OBJECTIVE:.4f}"
    return derived(
        f"IF(requests >= {least}, FILL(errors, 0) / requests / {budget}, 0)",
        "burn rate",
        errors=errors,
        requests=requests,
    )


def make_burn_alarms(scope: Construct, stage: Stage, rate: Measure) -> dict[str, cloudwatch.CompositeAlarm]:
    """Add an alarm for each pair of windows, and the two that it is made of; they tell nobody yet.

    Args:
        scope: the stack.
        stage: in their names.
        rate: how fast the budget burns, in any window.
    """
    return {burn.name: _pair(scope, stage, burn, rate) for burn in BURNS}


def _pair(scope: Construct, stage: Stage, burn: Burn, rate: Measure) -> cloudwatch.CompositeAlarm:
    means = f"the error budget burns {burn.rate:g} times too fast"
    windows = [
        Alarm(
            f"burn-{burn.name}-{name}",
            f"{means} (the {name} window)",
            "slo",
            burn.rate,
            period=seconds,
            points=count,
            of=count,
            told="nobody",
            silence=FINE,
        )
        for name, seconds, count in (("long", burn.long, burn.days), ("short", burn.short, 1))
    ]
    alarms = [make_alarm(scope, stage, window, rate) for window in windows]
    return make_composite(scope, stage, (f"burn-{burn.name}", means, "slo"), all_of(alarms))
