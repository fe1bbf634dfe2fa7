"""Exact interventional Shapley values of a champion, in probability: what sampled reason codes are judged by.

The score of all 2^n coalitions comes from the fitted trees themselves: a tree looks at few of the n features, so its
answers to all coalitions are a small array that broadcasts over the others. Their sum goes through the calibration,
and the definition of the Shapley value does the rest; nothing is sampled, and no graph is run.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from training.calibrate import Model
from training.fit import Boosted


def differing(own: Inputs, usual: Inputs) -> list[int]:
    """Return the columns, numbers first, in which two single rows differ."""
    numbers = ~((own.numbers[0] == usual.numbers[0]) | (np.isnan(own.numbers[0]) & np.isnan(usual.numbers[0])))
    categories = [a != b for a, b in zip(own.categories[0], usual.categories[0], strict=True)]
    return np.flatnonzero([*numbers, *categories]).tolist()


def all_scores(model: Model, own: Inputs, usual: Inputs) -> NDArray[np.float64]:
    """Return the probability of every coalition, one axis a differing column: 0 the reference's value, 1 the own."""
    columns = differing(own, usual)
    fitted = model.fitted
    assert isinstance(fitted, Boosted)
    ours, theirs = fitted.columns(own)[0], fitted.columns(usual)[0]
    raw = np.full((2,) * len(columns), float(fitted.trees._baseline_prediction.item()))
    for predictors in fitted.trees._predictors:
        raw += _answers(predictors[0].nodes, 0, ours, theirs, columns)
    return model.platt.probability(raw)


def shapley_values(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Shapley values [n] of a game whose coalitions' scores are an array of n axes of two."""
    n = scores.ndim
    joins, leaves = _weights(n)
    gained, lost = scores.ravel() * joins, scores.ravel() * leaves
    values = np.empty(n)
    for axis in range(n):  # fold one axis after the other away, so that all take as long as two
        gained, lost = gained.reshape(2, -1), lost.reshape(2, -1)
        values[axis] = gained[1].sum() - lost[0].sum()
        gained, lost = gained.sum(axis=0), lost.sum(axis=0)
    return values


def exact_reasons(model: Model, names: Sequence[str], own: Inputs, usual: Inputs) -> dict[str, float]:
    """Return the exact share of every differing feature, by name."""
    values = shapley_values(all_scores(model, own, usual))
    return {names[column]: float(value) for column, value in zip(differing(own, usual), values, strict=True)}


@lru_cache(maxsize=2)
def _weights(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weigh each coalition as one that a feature has joined, and as one that it has not; [2^n] each."""
    size = np.zeros(1, np.intp)
    for _ in range(n):
        size = np.concatenate([size, size + 1])
    orders = np.array([1.0 / (n * comb(n - 1, others)) for others in range(n)])
    return np.append(0.0, orders)[size], np.append(orders, 0.0)[size]


def _answers(
    nodes: Any, at: int, ours: NDArray[np.float32], theirs: NDArray[np.float32], columns: Sequence[int]
) -> NDArray[np.float64]:
    """Return a subtree's answers to all coalitions, broadcastable over the axes that it does not look at."""
    node = nodes[at]
    if node["is_leaf"]:
        return np.full((1,) * len(columns), node["value"], np.float64)
    way, other = (int(node["left" if _goes_left(node, values) else "right"]) for values in (ours, theirs))
    own = _answers(nodes, way, ours, theirs, columns)
    if way == other:
        return own
    axis = columns.index(int(node["feature_idx"]))
    takes = np.array([False, True]).reshape([2 if place == axis else 1 for place in range(len(columns))])
    return np.where(takes, own, _answers(nodes, other, ours, theirs, columns))


def _goes_left(node: Any, values: NDArray[np.float32]) -> bool:
    value = float(values[node["feature_idx"]])
    return bool(node["missing_go_to_left"]) if np.isnan(value) else bool(value <= node["num_threshold"])
