"""Why customers leave in the world of events: the logarithm of the hazard of one month, and what drift makes of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.synthesize.customers import Columns
from training.synthesize.world import World

BIAS = 1.35
"""How many times as often group B leaves for no reason that any other column holds."""
DRIFT_BASE, DRIFT_PRICE, DRIFT_SATISFACTION = 0.3, 1.0, -0.6
"""At strength 1: added to the logarithm of the hazard, and the share by which each coefficient changes."""
_PRICE, _SATISFACTION, _INTENT = 9.0, -0.6, 1.75
_BASE = -4.4


@dataclass(frozen=True)
class Drivers:
    """What moves the hazard in one month, as it stood when the month began; arrays are [N].

    Attributes:
        columns: covariates that do not change (`customers.draw_customers`).
        group_b: bool.
        tenure: months since the customer joined.
        rise: share by which the price rose lately, the older half counted half.
        late: late payments lately.
        satisfaction: the latent AR(1), standard deviation about 1.
        intent: whether the customer has begun to turn away, bool.
        season: of the month.
        drift: strength of the drift in the month.
    """

    columns: Columns
    group_b: NDArray[np.bool_]
    tenure: NDArray[np.int64]
    rise: NDArray[np.float64]
    late: NDArray[np.int64]
    satisfaction: NDArray[np.float64]
    intent: NDArray[np.bool_]
    season: float
    drift: float


def monthly_log_hazard(world: World, drivers: Drivers) -> NDArray[np.float64]:
    """Return the logarithm of the hazard of leaving in the month, [N].

    It falls with tenure, rises with the price (three times as much where the contract can be left), falls with
    satisfaction, and carries the stated bias.
    """
    c, d = drivers.columns, drivers
    term: NDArray[Any] = c["contract_term"]
    by_term = np.array([0.9, -0.7, -1.6])[term]
    by_tenure = 1.0 * np.exp(-d.tenure / 12.0) - 0.006 * d.tenure
    price = _PRICE * (1.0 + DRIFT_PRICE * d.drift)
    by_price = price * np.clip(d.rise, 0.0, 0.4) * np.where(term == 0, 1.5, 0.5)
    by_mood = _SATISFACTION * max(0.0, 1.0 + DRIFT_SATISFACTION * d.drift) * d.satisfaction
    by_ties = -0.5 * c["autopay"] - 0.4 * c["family_plan"] + 0.35 * np.minimum(d.late, 2)
    by_place = 0.7 * world.city_effect[c["city"]] + world.plan_effect[c["plan"]]
    by_access = np.array([0.0, -0.2, 0.3])[c["internet_service"]]
    told = by_term + by_tenure + by_price + by_mood + by_ties + by_place + by_access + _INTENT * d.intent
    biased = np.log(BIAS) * d.group_b
    return np.asarray(_BASE + DRIFT_BASE * d.drift + d.season + told + biased, np.float64)
