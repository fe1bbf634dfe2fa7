"""What a stage costs a month, from the templates that would be deployed."""

from dataclasses import dataclass

from cdk.pricing.bill import bill_of
from cdk.pricing.errors import PricingError
from cdk.pricing.load import Load
from cdk.pricing.templates import read_templates
from ebb.errors import Misuse
from local.deploying.deployment import Deployment

_IDLE = 0.001
"""Requests a second of a stage that nobody calls; the bill asks for some."""


@dataclass(frozen=True)
class Price:
    """Dollars a month.

    Attributes:
        idle: where nobody calls.
        rps: requests a second.
        loaded: with as many.
    """

    idle: float
    rps: float
    loaded: float


def price_of(at: Deployment, rps: float) -> Price:
    """Price a stage, idle and at a load.

    Args:
        at: the deployment.
        rps: requests a second, the mean of the month.

    Raises:
        Misuse: no such load can be.
    """
    with at.workshop.templates(at.stage.name) as folder:
        templates = read_templates(folder, at.stage.name)
    try:
        return Price(bill_of(templates, Load(_IDLE)).usd, rps, bill_of(templates, Load(rps)).usd)
    except PricingError as error:
        raise Misuse(str(error)) from None
