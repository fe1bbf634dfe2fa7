"""Platt scaling: log-odds of the trees become probabilities that mean what they say.

Source: Platt, "Probabilistic outputs for support vector machines", 1999.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ebb.features.inputs import Inputs
from training.fit import Fitted


@dataclass(frozen=True)
class Platt:
    """probability = sigmoid(slope * raw + offset).

    Attributes:
        slope, offset: exactly representable in float32, as the graph holds them.
    """

    slope: float
    offset: float

    def probability(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities [N] of log-odds [N]."""
        probabilities: NDArray[np.float64] = np.exp(-np.logaddexp(0.0, -(self.slope * raw + self.offset)))
        return probabilities


@dataclass(frozen=True)
class Model:
    """What a graph is exported from: a fitted estimator and its calibration."""

    fitted: Fitted
    platt: Platt

    def probability(self, inputs: Inputs) -> NDArray[np.float64]:
        """Return the probability of the positive class, float64 [N]."""
        return self.platt.probability(self.fitted.raw(inputs))


def fit_platt(raw: NDArray[np.float64], labels: NDArray[np.int8]) -> Platt:
    """Fit slope and offset on out-of-fold log-odds [N] and labels [N]."""
    regression = LogisticRegression(C=1e6, max_iter=1000)
    with threadpool_limits(limits=1):  # twice as fast alone, and many times faster beside other work
        regression.fit(raw[:, None], labels)
    return Platt(float(np.float32(regression.coef_[0, 0])), float(np.float32(regression.intercept_[0])))


def crossfit_platt(
    raw: NDArray[np.float64], labels: NDArray[np.int8], fold: NDArray[np.int8], *, temporal: bool = False
) -> NDArray[np.float64]:
    """Calibrate each fold by a map that was fitted on other folds only.

    Args:
        raw: out-of-fold log-odds, [N].
        labels: 0 or 1, [N].
        fold: the fold in which each row was held out, [N]; negative where it never was.
        temporal: whether folds follow time: then the maps come from earlier folds, where there are any with both
            classes; the first fold takes the later ones, and a fold alone its own sigmoid. A stratified fold that is
            the only one is cut into halves, each calibrated by the other.

    Returns:
        Probabilities, [N]; NaN in rows that were never held out.
    """
    probabilities = np.full(len(raw), np.nan)
    held = fold >= 0
    if not temporal and held.any() and np.all(fold[held] == fold[held][0]):
        fold = np.where(held, np.random.default_rng([len(fold), 2]).integers(0, 2, len(fold)), fold).astype(np.int8)
    for k in np.unique(fold[held]):
        held_out = fold == k
        others = [held & (fold < k), held & ~held_out] if temporal else [held & ~held_out]
        learned = next((rows for rows in others if _has_both(labels[rows])), None)
        platt = Platt(1.0, 0.0) if learned is None else fit_platt(raw[learned], labels[learned])
        probabilities[held_out] = platt.probability(raw[held_out])
    return probabilities


def _has_both(labels: NDArray[np.int8]) -> bool:
    return 0 < int(labels.sum()) < len(labels)
