"""What acting on predictions earns, measured on rows whose outcome is known."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Decision
from ebb.decision import threshold as pays_from
from training.evaluation.emp import expected_maximum, sampled_maximum, success_beta
from training.evaluation.measured import Measured
from training.evaluation.model import Curve, Money
from training.evaluation.ranking import Ranked, curve
from training.evaluation.resample import Resampler

_GRID = np.linspace(0, 1, 101)


def earned(decision: Decision, labels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return what acting on each row earns, [N], in the decision's currency; labels are 0 or 1, [N]."""
    return labels.astype(np.float64) * (decision.success_rate * decision.retained_value) - decision.action_cost


def profit_at(decision: Decision, probabilities: NDArray[Any], labels: NDArray[np.int8], threshold: float) -> float:
    """Return the profit per entity of acting at and above `threshold`, in the decision's currency.

    Acting costs `action_cost`; of the positive entities acted on, `success_rate` are kept, each worth
    `retained_value`. Doing nothing earns 0; a threshold of 0 acts on everyone.

    Args:
        decision: the economics.
        probabilities: [N].
        labels: 0 or 1, [N].
        threshold: a probability.
    """
    return float(np.mean(np.where(probabilities >= threshold, earned(decision, labels), 0.0)))


def profit_curve(
    decision: Decision, probabilities: NDArray[Any], labels: NDArray[np.int8], thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return `profit_at` for each of the thresholds, from one sort."""
    order = np.argsort(probabilities, kind="stable")
    after = _from_the_end(earned(decision, labels)[order])
    found: NDArray[np.float64] = after[np.searchsorted(probabilities[order], thresholds)] / len(labels)
    return found


def money(
    decision: Decision,
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int8],
    ranked: Ranked,
    resampler: Resampler,
) -> Money:
    """Measure what acting on N rows earns.

    Args:
        decision: the economics.
        probabilities: [N].
        labels: 0 or 1, [N].
        ranked: the same rows.
        resampler: of them.
    """
    worth, at = earned(decision, labels), pays_from(decision)
    acted = np.where(probabilities >= at, worth, 0.0)
    means = resampler.means(acted, worth)
    value, share = expected_maximum(decision, ranked.rows, ranked.positives)
    best_threshold, best_profit = _best(decision, ranked, worth, resampler)
    bins = len(ranked.least)
    rows, found = resampler.cells(ranked.place, bins), resampler.cells(ranked.place, bins, labels)
    alpha, beta = success_beta(decision)
    return Money(
        currency=decision.currency,
        threshold=at,
        profit=resampler.measured(float(acted.mean()), means[:, 0]),
        everyone=resampler.measured(float(worth.mean()), means[:, 1]),
        over_everyone=resampler.measured(float((acted - worth).mean()), means[:, 0] - means[:, 1]),
        best_threshold=best_threshold,
        best_profit=best_profit,
        expected_maximum=resampler.measured(value, sampled_maximum(decision, rows, found), 0),
        expected_share=share,
        success_alpha=alpha,
        success_beta=beta,
        curve=_curve(decision, probabilities, labels, worth, resampler),
    )


def _best(
    decision: Decision, ranked: Ranked, worth: NDArray[np.float64], resampler: Resampler
) -> tuple[Measured, Measured]:
    """Return the threshold that earned most, and what it earned; just above every answer where acting never paid."""
    above_all = math.nextafter(float(ranked.scores[-1]), math.inf)
    gain = ranked.positives * decision.success_rate * decision.retained_value - ranked.rows * decision.action_cost
    after = _from_the_end(gain)
    # of equally good thresholds the highest: acting costs, even where it pays for itself
    place = len(after) - 1 - int(np.argmax(after[::-1]))
    threshold = float(np.append(ranked.scores, above_all)[place])
    cells = _from_the_end(resampler.cells(ranked.place, len(ranked.least), worth))
    rows = resampler.cells(ranked.place, len(ranked.least)).sum(axis=1)
    places = np.append(ranked.least, above_all)[cells.shape[1] - 1 - np.argmax(cells[:, ::-1], axis=1)]
    profit = resampler.measured(float(after[place]) / float(ranked.rows.sum()), cells.max(axis=1) / rows, 0)
    if not resampler.known:
        return Measured(threshold, None, None), profit
    low, high = np.quantile(places, [0.025, 0.975])  # as it falls: a threshold has no symmetric spread
    return Measured(threshold, min(float(low), threshold), max(float(high), threshold)), profit


def _curve(
    decision: Decision,
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int8],
    worth: NDArray[np.float64],
    resampler: Resampler,
) -> Curve:
    y = profit_curve(decision, probabilities, labels, _GRID)
    place = np.searchsorted(_GRID, probabilities, side="right") - 1
    cells = _from_the_end(resampler.cells(place, len(_GRID), worth))[:, :-1]
    rows = resampler.sums(np.ones(len(labels)))
    return curve(_GRID, y, *resampler.band(y, cells / rows))


def _from_the_end(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums from each place to the end along the last axis, and a last 0: [..., K] becomes [..., K + 1]."""
    sums = np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([sums, np.zeros((*values.shape[:-1], 1))], axis=-1)
