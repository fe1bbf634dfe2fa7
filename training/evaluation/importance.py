"""Which features a fitted model rests on."""

import numpy as np
from numpy.typing import NDArray

from training.fit import Boosted, Fitted, Logistic
from training.fit.lightgbm import LightTrees


def importance(fitted: Fitted, columns: int) -> NDArray[np.float64] | None:
    """Return each feature's share of what the model rests on, [n + c], numbers first; they sum to 1.

    Of trees it is the gain of their splits, of a line its weight for one standard deviation. It ranks features; how
    far answers move is measured by `training.evaluation.robustness`.

    Args:
        fitted: the model.
        columns: n + c.

    Returns:
        The shares; None where the model does not tell, or rests on nothing.
    """
    found = _worth(fitted, columns)
    total = 0.0 if found is None else float(found.sum())
    return None if found is None or not np.isfinite(total) or total <= 0 else found / total


def _worth(fitted: Fitted, columns: int) -> NDArray[np.float64] | None:
    if isinstance(fitted, Boosted):
        return _gains(fitted, columns)
    if isinstance(fitted, LightTrees):
        gains: NDArray[np.float64] = np.asarray(fitted.booster.feature_importance("gain"), np.float64)
        return gains
    if isinstance(fitted, Logistic):
        worth = np.abs(fitted.weights)
        worth[: len(fitted.missing_weights)] += np.abs(fitted.missing_weights)
        return worth
    return None


def _gains(fitted: Boosted, columns: int) -> NDArray[np.float64]:
    gains = np.zeros(columns)
    # scikit-learn tells no gains in public; the nodes have them, and ebb's own writer of graphs reads them too
    for (tree,) in fitted.trees._predictors:  # noqa: SLF001
        split = tree.nodes[tree.nodes["is_leaf"] == 0]
        np.add.at(gains, split["feature_idx"].astype(np.intp), split["gain"])
    return gains
