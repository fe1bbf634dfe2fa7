"""The champion's estimator: target-encoded categories beside the numbers, in float32, into boosted trees.

Target encoding is cross-fitted (Micci-Barreca, "A preprocessing scheme for high-cardinality categorical
attributes", SIGKDD Explorations 2001): no row's own label is in the encoding that the trees learn from.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder
from threadpoolctl import threadpool_limits

from ebb.features.inputs import Inputs


@dataclass(frozen=True)
class TreeSize:
    """How large the trees are and how many.

    Attributes:
        name: for people.
        leaves: at most so many in a tree.
        rate: learning rate.
        trees: how many.
    """

    name: str
    leaves: int
    rate: float
    trees: int

    @property
    def work(self) -> float:
        """Rough cost of a fit, in units of one tree's level over all rows."""
        return self.trees * float(np.log2(self.leaves))


@dataclass(frozen=True)
class Boosted:
    """A fitted encoder and its trees.

    Attributes:
        encoder: the fitted TargetEncoder; None where the contract has no categories.
        trees: the fitted HistGradientBoostingClassifier.
    """

    encoder: Any
    trees: Any

    def columns(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return what the trees see: float32 [N, n + c], numbers first, then encoded categories."""
        if self.encoder is None:
            return inputs.numbers
        encoded = self.encoder.transform(inputs.categories).astype(np.float32)
        return np.concatenate([inputs.numbers, encoded], axis=1)

    def raw(self, inputs: Inputs) -> NDArray[np.float64]:
        """Return the trees' log-odds before calibration, float64 [N]."""
        with threadpool_limits(limits=1):
            raw: NDArray[np.float64] = self.trees.decision_function(self.columns(inputs))
        return raw


def fit_boosted(inputs: Inputs, labels: NDArray[np.int8], size: TreeSize, seed: int) -> Boosted:
    """Fit encoder and trees on N rows with one thread: the same rows and seed give the same bits.

    Args:
        inputs: N rows.
        labels: 0 or 1, [N]; at least five of each.
        size: of the trees.
        seed: of the folds of the encoding.
    """
    encoder = None
    parts = [_without_empty_columns(inputs.numbers)]
    if inputs.categories.shape[1]:
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        encoder = TargetEncoder(target_type="binary", cv=folds)
        parts.append(encoder.fit_transform(inputs.categories, labels).astype(np.float32))
    trees = HistGradientBoostingClassifier(
        max_leaf_nodes=size.leaves,
        learning_rate=size.rate,
        max_iter=size.trees,
        early_stopping=False,
        random_state=seed,
    )
    # More threads than free cores make a fit up to 18 times slower, and folds already fill the cores.
    with threadpool_limits(limits=1):
        trees.fit(np.concatenate(parts, axis=1), labels)
    return Boosted(encoder, trees)


def _without_empty_columns(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill columns that are missing in every row: scikit-learn cannot bin them, and a constant is never split on.

    A fold can lack every known value of a sparse column although the whole table does not.
    """
    empty = np.isnan(numbers).all(axis=0)
    if not empty.any():
        return numbers
    filled = numbers.copy()
    filled[:, empty] = 0
    return filled
