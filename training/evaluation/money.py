"""What acting on predictions earns, measured on rows whose outcome is known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Decision


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
    acted = probabilities >= threshold
    earned = labels * decision.success_rate * decision.retained_value - decision.action_cost
    return float(np.mean(np.where(acted, earned, 0.0)))


def profit_curve(
    decision: Decision, probabilities: NDArray[Any], labels: NDArray[np.int8], thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return `profit_at` for each of the thresholds."""
    return np.array([profit_at(decision, probabilities, labels, float(t)) for t in thresholds])
