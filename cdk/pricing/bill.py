"""The bill of a stage: its lines, its sums, and the curve over utilisation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cdk.pricing.case import Case
from cdk.pricing.line import Line
from cdk.pricing.load import Load
from cdk.pricing.table import lines_of
from cdk.pricing.templates import Templates
from cdk.pricing.unseen import UNSEEN

UTILISATIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
UNTAGGED = "no stack"


@dataclass(frozen=True)
class Bill:
    """What a stage costs in a month under one load."""

    case: Case
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """Dollars a month."""
        return sum(line.usd for line in self.lines)

    @property
    def usd_per_1000(self) -> float:
        """Dollars for 1,000 predictions, all in."""
        return self.per_1000(self.usd)

    def per_1000(self, usd: float) -> float:
        """Return dollars a month as dollars for 1,000 predictions."""
        return usd / self.case.load.predictions * 1_000

    def components(self) -> dict[str, float]:
        """Return dollars a month by component, the dearest first."""
        return _summed([(line.component, line.usd) for line in self.lines])

    def parts(self) -> dict[str, float]:
        """Return dollars a month by stack, as the tag `ebb:part` would split AWS's own bill."""
        return _summed([(line.part or UNTAGGED, line.usd) for line in self.lines])


@dataclass(frozen=True)
class Point:
    """One point of the curve.

    Attributes:
        utilisation: share of the held capacity that the mean uses.
        environments: warm, the mean of the day.
        usd, usd_per_1000: a month; for 1,000 predictions.
        fits: whether the stage may hold so many.
    """

    utilisation: float
    environments: float
    usd: float
    usd_per_1000: float
    fits: bool


def bill_of(templates: Templates, load: Load) -> Bill:
    """Price every resource of a stage, and what no resource stands for.

    Raises:
        PricingError: a resource or a kind of it has no price.
    """
    return priced(Case(templates, load))


def priced(case: Case) -> Bill:
    """Price one case.

    Raises:
        PricingError: see `bill_of`.
    """
    lines = [line for here in case.regions for one in here.templates.resources for line in lines_of(one, here)]
    lines += [line for here in case.regions for cost in UNSEEN.values() for line in cost(here)]
    return Bill(case, tuple(line for line in lines if line.quantity > 0))


def curve_of(templates: Templates, load: Load, utilisations: Sequence[float] = UTILISATIONS) -> list[Point]:
    """Price the same load with more or less capacity held for it.

    Raises:
        PricingError: see `bill_of`.
    """
    points = []
    for utilisation in utilisations:
        case = Case(templates, replace(load, utilisation=utilisation))
        bill = priced(case)
        points.append(Point(utilisation, case.held, bill.usd, bill.usd_per_1000, fits(case)))
    return points


def usd_per_1000_batch_rows(templates: Templates, load: Load) -> float:
    """Return what 1,000 rows in batches cost where as many rows come in batches as come one by one.

    It is what the batches add to the bill: requests, environments held for them, time, events, egress. What stands
    there for the single predictions anyway is counted with those.

    Raises:
        PricingError: see `bill_of`.
    """
    alone = replace(load, batches=0.0)
    beside = replace(load, batches=load.rps / load.rows)
    added = bill_of(templates, beside), bill_of(templates, alone)
    rows = beside.predictions - alone.predictions
    return (added[0].usd - added[1].usd) / rows * 1_000


def fits(case: Case) -> bool:
    """Return whether the stage may hold the capacity that is asked for."""
    return case.most is None or case.needed <= case.most


def _summed(amounts: Sequence[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for name, usd in amounts:
        sums[name] = sums.get(name, 0.0) + usd
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
