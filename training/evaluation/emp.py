"""Expected maximum profit: what acting earns where the success rate is only known as a distribution.

Source: Verbraken, Verbeke and Baesens, "A novel profit maximizing metric for measuring classification performance of
customer churn prediction models", IEEE TKDE 2013. Acting on a positive earns rate * value - cost and on another one
-cost; the rate is Beta distributed, and each rate is met with its own best threshold:
EMP = integral over the rate of max over thresholds of the profit. The paper's Beta(6, 14) has a mean of 0.3; here the
mean is the contract's `success_rate`, and alpha + beta stay 20. (Its incentive, paid to those who accept, is no part
of the contract and so 0: what acting costs, it costs for everyone acted on.)

The integral has a closed form. On the convex hull of the ROC curve, a run of rows with share q of positives is acted
on when rate * value * q >= cost, so it adds value * positives * E[rate; rate > g] - cost * rows * P(rate > g) with
g = cost / (value * q).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv
from sklearn.isotonic import isotonic_regression

from ebb.contract.model import Decision

CONCENTRATION = 20.0
"""alpha + beta of the success rate."""
_RATES = 40


def success_beta(decision: Decision) -> tuple[float, float]:
    """Return alpha and beta of the success rate; beta 0 is a rate of exactly 1."""
    return CONCENTRATION * decision.success_rate, CONCENTRATION * (1 - decision.success_rate)


def expected_maximum(
    decision: Decision, rows: NDArray[np.float64], positives: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the expected maximum profit per entity, and the share of entities acted on.

    Args:
        decision: the economics.
        rows: by distinct answers, ascending, [K].
        positives: among them, [K].
    """
    # the hull: answers pooled until the share of positives ascends with them
    share = isotonic_regression(positives / rows, sample_weight=rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = decision.action_cost / (decision.retained_value * share)
    least = np.where(np.isnan(least), 0.0, np.minimum(least, 2.0))
    chance, rate = _tail(decision, least)
    total = float(rows.sum())
    earned = decision.retained_value * positives * rate - decision.action_cost * rows * chance
    return float(earned.sum()) / total, float((rows * chance).sum()) / total


def sampled_maximum(
    decision: Decision, rows: NDArray[np.float64], positives: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the expected maximum profit of each resample [R] from counts by ascending answers [R, B].

    The success rate takes the middles of equally likely ranges.
    """
    acted = np.cumsum(rows[:, ::-1], axis=1)
    found = np.cumsum(positives[:, ::-1], axis=1)
    earned = np.zeros(len(rows))
    for rate in _middles(decision):
        profit = rate * decision.retained_value * found - decision.action_cost * acted
        earned += np.maximum(profit.max(axis=1), 0.0)
    return earned / _RATES / acted[:, -1]


def _middles(decision: Decision) -> list[float]:
    alpha, beta = success_beta(decision)
    if beta <= 0:
        return [1.0] * _RATES
    middles: list[float] = betaincinv(alpha, beta, (np.arange(_RATES) + 0.5) / _RATES).tolist()
    return middles


def _tail(decision: Decision, least: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return P(rate > least) and E[rate; rate > least], [K]."""
    alpha, beta = success_beta(decision)
    if beta <= 0:
        sure = (least <= 1).astype(np.float64)
        return sure, sure
    inside = np.minimum(least, 1.0)
    chance = 1 - betainc(alpha, beta, inside)
    rate = decision.success_rate * (1 - betainc(alpha + 1, beta, inside))
    return chance, rate
