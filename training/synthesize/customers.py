"""One chunk of customers, before anything is missing: covariates and the monthly hazard of leaving."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from training.synthesize.latent import Latent, draw_latent
from training.synthesize.world import CHANNELS, DEVICES, PLANS, World

TERMS = np.array(["monthly", "one year", "two years"], object)
PAYMENTS = np.array(["bank transfer", "card", "cash", "invoice"], object)
ACCESS = np.array(["cable", "fibre", "mobile"], object)
GROUPS = np.array(["A", "B"], object)
_LONGEST_TENURE, _ENDING_MONTHS = 180, 2
_SHARE_WITHOUT_RISE = 0.25

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Customers:
    """One chunk.

    Attributes:
        columns: covariates by name; categories still as codes, int [N].
        group_b: whether the customer belongs to population group B, bool [N].
    """

    columns: Columns
    group_b: NDArray[np.bool_]


def draw_customers(random: np.random.Generator, world: World, rows: int) -> Customers:
    """Draw the covariates of one chunk."""
    latent = draw_latent(random, rows)
    cell = np.searchsorted(world.cell_share, random.random(rows)).clip(0, len(world.cell_city) - 1)
    city = world.cell_city[cell]
    group_b = random.random(rows) < world.city_group_b[city]
    tenure = np.minimum(-38.0 * np.log1p(-latent["tenure"]), _LONGEST_TENURE).astype(np.int64)
    term = _terms(random, tenure, latent["age"])
    columns: Columns = {
        "cell": cell,
        "city": city,
        "region": city % 8,
        "contract_term": term,
        "tenure_months": tenure,
        "contract_months_left": _months_left(random, term),
        "plan": _skewed(random, rows, PLANS, 1.3),
        "device": _skewed(random, rows, DEVICES, 1.1),
        "acquisition_channel": random.integers(0, len(CHANNELS), rows),
        "outages_90d": random.poisson(world.cell_outages[cell]),
    }
    columns |= _money(random, latent, columns, group_b)
    columns |= _behaviour(random, latent)
    return Customers(columns, group_b)


def log_hazard(world: World, customers: Customers) -> NDArray[np.float64]:
    """Return the logarithm of the hazard of leaving in the label window, [N].

    It falls with tenure, rises with the last price rise (more where the contract can be left), and carries a stated
    bias: group B leaves 1.35 times as often for no reason that the other columns hold.
    """
    c = customers.columns
    free = c["contract_term"] == 0
    ending = (c["contract_months_left"] <= _ENDING_MONTHS) & ~free
    by_term = np.array([0.75, -0.55, -1.35])[c["contract_term"]]
    by_tenure = 0.95 * np.exp(-c["tenure_months"] / 14.0) - 0.006 * c["tenure_months"]
    by_price = 7.5 * np.clip(c["price_rise"], 0, 0.3) * np.where(free | ending, 1.5, 0.5)
    by_mood = -0.24 * (c["satisfaction"] - 6.0) + 0.16 * np.minimum(c["support_tickets_90d"], 5)
    by_use = 0.030 * np.minimum(c["days_since_login"], 45) - 0.8 * np.clip(c["usage_trend"], -1, 1)
    by_bill = 0.012 * (c["monthly_charges"] - 60.0) + 0.13 * np.minimum(c["late_payments_12m"], 5)
    by_ties = -0.45 * c["autopay"] - 0.35 * c["family_plan"] + 0.20 * np.minimum(c["outages_90d"], 5)
    by_place = world.city_effect[c["city"]] + world.cell_effect[c["cell"]]
    by_choice = (
        world.plan_effect[c["plan"]]
        + world.device_effect[c["device"]]
        + world.channel_effect[c["acquisition_channel"]]
        + np.array([0.0, -0.15, 0.25])[c["internet_service"]]
    )
    stated_bias = np.log(1.35) * customers.group_b
    told = by_term + by_tenure + by_price + by_mood + by_use + by_bill + by_ties + by_place + by_choice
    return np.asarray(-2.6 + 0.25 * ending + 0.95 * told + stated_bias, np.float64)


def probability(log_hazards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the true probability of leaving in the window: one minus the survival of the hazard, [N]."""
    return np.asarray(-np.expm1(-np.exp(log_hazards)))


def _terms(random: np.random.Generator, tenure: NDArray[Any], age: NDArray[Any]) -> NDArray[np.int64]:
    lean = random.random(len(tenure)) + 0.15 * (tenure > 24) + 0.1 * (age - 0.5)  # noqa: PLR2004 - two years
    return np.searchsorted(np.array([0.55, 0.82]), lean)


def _months_left(random: np.random.Generator, term: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.ceil(random.random(len(term)) * np.array([0, 12, 24])[term]), np.int64)


def _skewed(random: np.random.Generator, rows: int, count: int, power: float) -> NDArray[np.int64]:
    share = 1.0 / np.arange(1, count + 1) ** power
    return np.searchsorted(np.cumsum(share / share.sum()), random.random(rows)).clip(0, count - 1)


def _money(random: np.random.Generator, latent: Latent, known: Columns, group_b: NDArray[np.bool_]) -> Columns:
    """Bills, rises and payments; group B is shown higher price rises: the second half of the stated bias."""
    rows = len(group_b)
    tenure = known["tenure_months"]
    charges = np.round(np.exp(3.95 + 0.42 * ndtri(latent["charges"])) + 4.0 * known["contract_term"], 2)
    rise = np.where(latent["rise"] < _SHARE_WITHOUT_RISE, 0.0, 0.05 * ndtri(latent["rise"]) + 0.03) + 0.02 * group_b
    autopay = random.random(rows) < 0.35 + 0.3 * latent["credit"]
    payment = np.where(autopay, random.integers(0, 2, rows), random.integers(0, 4, rows))
    return {
        "monthly_charges": np.clip(charges, 10.0, 400.0),
        "price_rise": np.round(np.clip(rise, -0.2, 0.4), 4),
        "total_charges": np.round(tenure * np.clip(charges, 10.0, 400.0) * random.uniform(0.85, 1.05, rows), 2),
        "late_payments_12m": _geometric(latent["late"], 0.62),
        "credit_score": np.round(np.clip(640 + 85 * ndtri(latent["credit"]) - 15 * group_b, 300, 850)),
        "autopay": autopay.astype(np.int64),
        "payment_method": payment,
    }


def _behaviour(random: np.random.Generator, latent: Latent) -> Columns:
    rows = len(latent["age"])
    usage = np.exp(3.1 + 0.9 * ndtri(latent["usage"]))
    return {
        "age": np.clip(18 + 70 * latent["age"] ** 1.25, 18, 95).astype(np.int64),
        "household_size": 1 + _geometric(latent["household"], 0.5).clip(0, 6),
        "usage_gb": np.round(usage, 2),
        "usage_trend": np.round(np.clip(0.25 * ndtri(latent["trend"]), -0.95, 2.0), 3),
        "call_minutes": np.round(np.exp(4.2 + 0.8 * ndtri(latent["calls"])), 1),
        "sessions_30d": _geometric(latent["sessions"], 0.06).clip(0, 200),
        "days_since_login": _geometric(latent["idle"], 0.12).clip(0, 90),
        "support_tickets_90d": _geometric(latent["tickets"], 0.6).clip(0, 15),
        "satisfaction": np.round(np.clip(6.4 + 1.9 * ndtri(latent["mood"]), 0, 10), 1),
        "paperless_billing": (random.random(rows) < 0.75 - 0.35 * latent["age"]).astype(np.int64),
        "family_plan": (random.random(rows) < 0.1 + 0.5 * latent["household"]).astype(np.int64),
        "internet_service": np.searchsorted(np.array([0.38, 0.80]), random.random(rows)),
    }


def _geometric(uniform: NDArray[np.float64], success: float) -> NDArray[np.int64]:
    """Return the quantile of a geometric distribution that starts at 0."""
    return np.asarray(np.floor(np.log1p(-uniform) / np.log1p(-success)), np.int64)
