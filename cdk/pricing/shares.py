"""Who of several variants or clients costs how much of the bill.

AWS's own bill splits by the tags `ebb:stage` and `ebb:part`. Within a stage there is one function for all, so the rest
is split by what Ebb counts: predictions of each (`variant_*`; for clients the lines of the access log or the prediction
events, which both name the client), and the dollars that the computing of each took (`cost_usd_*`, or `cost` of the
client's events).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cdk.pricing.bill import Bill
from cdk.pricing.errors import PricingError


@dataclass(frozen=True)
class Use:
    """What one of them used in the same time.

    Attributes:
        requests: predictions that it gave, or was given.
        dollars: what Ebb reckoned for their computing; None where nobody knows, and requests stand in.
    """

    requests: float
    dollars: float | None = None


def shares_of(bill: Bill, uses: Mapping[str, Use]) -> dict[str, float]:
    """Split a bill: computing time by dollars, everything else by requests. The shares add up to the bill.

    Raises:
        PricingError: nobody used anything, or the dollars of some are not known.
    """
    known = {use.dollars is not None for use in uses.values()}
    if not uses or sum(use.requests for use in uses.values()) <= 0 or len(known) > 1:
        raise PricingError("say how many requests each had, one at least, and the dollars of all of them or of none")
    weights = {
        "requests": {name: use.requests for name, use in uses.items()},
        "dollars": {name: use.requests if use.dollars is None else use.dollars for name, use in uses.items()},
    }
    if any(value < 0 for kind in weights.values() for value in kind.values()):
        raise PricingError("requests and dollars of a share cannot be negative")
    if sum(weights["dollars"].values()) == 0:
        weights["dollars"] = weights["requests"]
    totals = {kind: sum(each.values()) for kind, each in weights.items()}
    split = dict.fromkeys(uses, 0.0)
    for line in bill.lines:
        for name in uses:
            split[name] += line.usd * weights[line.shared][name] / totals[line.shared]
    return split
