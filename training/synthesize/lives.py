"""The lives of one shard's customers, month by month: who joins, what they feel, what they are charged, who leaves."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.synthesize.customers import Customers, probability
from training.synthesize.hazard import Drivers, monthly_log_hazard
from training.synthesize.options import Options
from training.synthesize.seasons import Month, month
from training.synthesize.world import World

PERSISTENCE = 0.85
"""Autocorrelation of satisfaction from one month to the next."""
INTENT_USE = 0.25
"""What is left of the use of a customer who has begun to turn away."""
_SHARE_AT_START = 0.6
_INTENT_ENTERS, _INTENT_STAYS = 0.02, 0.75
_RISES = 0.09
_AFTER_RISE = 4.0
"""Points of satisfaction lost for a rise of the price by its whole."""
LEAVING_DAYS = (2, 28)
"""Days of the month, from 0 on, after which customers leave or on which they join: so the 30 days from the start of any
month, February too, hold those who leave in it and no others."""


@dataclass(frozen=True)
class Lived:
    """What happened in one month; arrays are [N] of the shard.

    Attributes:
        month: which.
        at_risk: customers of the month before who are still there when it begins.
        chance: their true probability of leaving in it.
        left: who does.
        joins: who joins in it.
        stays: whose bill is written on its last day.
        first_day: the first day of the month on which they are customers, 0 for most.
        days: on how many days of it they are.
        satisfaction: the latent AR(1) in this month.
        intent: whether they have begun to turn away.
        charge: the monthly price in cents.
        rise: by how many cents it rose in this month.
        late: late payments in this month.
        tenure: whole months since they joined.
        drift: strength of the drift.
    """

    month: Month
    at_risk: NDArray[np.bool_]
    chance: NDArray[np.float64]
    left: NDArray[np.bool_]
    joins: NDArray[np.bool_]
    stays: NDArray[np.bool_]
    first_day: NDArray[np.int64]
    days: NDArray[np.int64]
    satisfaction: NDArray[np.float64]
    intent: NDArray[np.bool_]
    charge: NDArray[np.int64]
    rise: NDArray[np.int64]
    late: NDArray[np.int64]
    tenure: NDArray[np.int64]
    drift: float


def live(random: np.random.Generator, world: World, customers: Customers, options: Options) -> Iterator[Lived]:
    """Yield the months of a world one after the other; each depends on the one before, and on no later one."""
    c, rows = customers.columns, len(customers.group_b)
    joined = np.where(random.random(rows) < _SHARE_AT_START, -1, random.integers(0, options.months, rows))
    tenure = np.where(joined < 0, c["tenure_months"], 0)
    mood = (c["satisfaction"] - 6.4) / 1.9
    satisfaction = 0.4 * mood + 0.9 * random.standard_normal(rows)
    intent = np.zeros(rows, bool)
    charge = np.round(100 * c["monthly_charges"]).astype(np.int64)
    known = np.zeros(rows, bool)
    lately = [np.zeros(rows), np.zeros(rows)]
    late = np.zeros(rows, np.int64)
    for index in range(options.months):
        now, drift = month(index), options.drifted(index)
        share = lately[-1] + 0.5 * lately[-2]
        drivers = Drivers(c, customers.group_b, tenure, share, late, satisfaction, intent, now.leaving_season, drift)
        chance = probability(monthly_log_hazard(world, drivers))
        left = known & (random.random(rows) < chance)
        joins = joined == index
        here = known | joins | ((joined < 0) & (index == 0))
        stays = here & ~left
        day = random.integers(LEAVING_DAYS[0], LEAVING_DAYS[1], rows)
        rise = np.where(stays, _rises(random, customers, charge), 0)
        lately = [lately[-1], rise / charge]
        charge = charge + rise
        satisfaction = _felt(random, satisfaction, mood, lately[-1])
        intent = np.where(intent, random.random(rows) < _INTENT_STAYS, random.random(rows) < _enters(satisfaction))
        late = random.poisson(0.10 + 0.12 * np.minimum(c["late_payments_12m"], 4)) * stays
        days = np.where(left, day + 1, np.where(joins, now.days - day, now.days * here))
        yield Lived(
            now, known, chance, left, joins, stays, np.where(joins, day, 0), days,
            satisfaction, intent, charge, rise, late, tenure, drift,
        )  # fmt: skip
        tenure = tenure + stays
        known = stays


def _rises(random: np.random.Generator, customers: Customers, charge: NDArray[np.int64]) -> NDArray[np.int64]:
    """Raise some prices by 2 to 14 % in cents; group B's by 2 points more: the second half of the stated bias."""
    rows = len(charge)
    share = 0.02 + 0.12 * random.random(rows) + 0.02 * customers.group_b
    return np.where(random.random(rows) < _RISES, np.round(charge * share), 0).astype(np.int64)


def _felt(
    random: np.random.Generator, before: NDArray[np.float64], mood: NDArray[np.float64], rise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Move satisfaction on: an AR(1) around a level of each customer's own, lowered by a rise of the price."""
    level = 0.4 * mood
    noise = 0.9 * np.sqrt(1 - PERSISTENCE**2) * random.standard_normal(len(before))
    return np.asarray(level + PERSISTENCE * (before - level) + noise - _AFTER_RISE * rise)


def _enters(satisfaction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance of beginning to turn away."""
    return np.minimum(_INTENT_ENTERS * np.exp(-0.9 * satisfaction), 0.5)
