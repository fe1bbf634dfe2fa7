"""Whether functions reach AWS through interface endpoints or through NAT gateways: whichever costs less.

Prices of us-east-1, list, 2026-11 ("AWS PrivateLink pricing", "Amazon VPC pricing"); the ratio is what decides, and it
is close to the same elsewhere.
"""

from dataclasses import dataclass
from typing import Literal

HOURS_A_MONTH = 730
_ENDPOINT_HOUR, _ENDPOINT_GB = 0.01, 0.01
_NAT_HOUR, _NAT_GB = 0.045, 0.045


@dataclass(frozen=True)
class Egress:
    """What each way would cost.

    Attributes:
        way: the cheaper one.
        endpoints_usd, nat_usd: dollars a month.
    """

    way: Literal["endpoints", "nat"]
    endpoints_usd: float
    nat_usd: float


def cheaper_egress(services: int, zones: int, gigabytes: float) -> Egress:
    """Compare.

    Args:
        services: that are reached and have no free gateway endpoint (S3 has one).
        zones: in each of which an endpoint, or a NAT gateway, stands.
        gigabytes: a month, through either.
    """
    endpoints = services * zones * HOURS_A_MONTH * _ENDPOINT_HOUR + gigabytes * _ENDPOINT_GB
    nat = zones * HOURS_A_MONTH * _NAT_HOUR + gigabytes * _NAT_GB
    return Egress("endpoints" if endpoints <= nat else "nat", round(endpoints, 2), round(nat, 2))
