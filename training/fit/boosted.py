"""Boosted trees of scikit-learn on numbers and encoded categories, in float32."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ebb.features.inputs import Inputs
from training.fit.coded import Coded, code
from training.fit.encoding import TargetEncoding, crossfit_encoding, fit_encoding

BOOSTED, LIGHTGBM = "boosted", "lightgbm"


@dataclass(frozen=True)
class TreeSize:
    """How large the trees are and how many.

    Attributes:
        name: for people.
        leaves: at most so many in a tree.
        rate: learning rate.
        trees: how many.
        least_rows: of a leaf.
        l2: regularisation of the leaves' values.
        share: of the columns that each split may look at.
        family: `boosted` is scikit-learn's, `lightgbm` is LightGBM's.
    """

    name: str
    leaves: int
    rate: float
    trees: int
    least_rows: int = 20
    l2: float = 0.0
    share: float = 1.0
    family: str = BOOSTED

    @property
    def work(self) -> float:
        """Rough cost of a fit, in units of one tree's level over all rows."""
        return self.trees * float(np.log2(self.leaves))


@dataclass(frozen=True)
class Boosted:
    """A fitted encoding and its trees.

    Attributes:
        encoding: of the categories.
        trees: the fitted HistGradientBoostingClassifier.
        family: for people.
    """

    encoding: TargetEncoding
    trees: Any
    family: str = BOOSTED

    def columns(self, rows: Inputs | Coded) -> NDArray[np.float32]:
        """Return what the trees see: float32 [N, n + c], numbers first, then encoded categories."""
        return joined(rows, self.encoding)

    def raw(self, rows: Inputs | Coded) -> NDArray[np.float64]:
        """Return the trees' log-odds before calibration, float64 [N]."""
        with threadpool_limits(limits=1):
            raw: NDArray[np.float64] = self.trees.decision_function(self.columns(rows))
        return raw


def fit_boosted(
    rows: Inputs | Coded,
    labels: NDArray[np.int8],
    size: TreeSize,
    seed: int,
    groups: NDArray[np.intp] | None = None,
) -> Boosted:
    """Fit encoding and trees on N rows with one thread: the same rows and seed give the same bits.

    Args:
        rows: N of them.
        labels: 0 or 1, [N]; at least five of each.
        size: of the trees.
        seed: of the folds of the encoding.
        groups: number of each row's entity, [N]; None where every entity has one row.
    """
    coded = code(rows)
    # scikit-learn wants doubles: made here, the float32 they come from do not lie beside them during the fit.
    columns = learned_columns(coded, labels, seed, groups).astype(np.float64)
    trees = HistGradientBoostingClassifier(
        max_leaf_nodes=size.leaves,
        learning_rate=size.rate,
        max_iter=size.trees,
        min_samples_leaf=size.least_rows,
        l2_regularization=size.l2,
        max_features=size.share,
        early_stopping=False,
        random_state=seed,
    )
    # More threads than free cores make a fit up to 18 times slower, and folds already fill the cores.
    with threadpool_limits(limits=1):
        trees.fit(columns, labels)
    return Boosted(fit_encoding(coded, labels), trees)


def joined(rows: Inputs | Coded, encoding: TargetEncoding) -> NDArray[np.float32]:
    """Return the columns that every family sees: float32 [N, n + c], numbers first, then encoded categories."""
    coded = code(rows)
    if not coded.names:
        return coded.numbers
    return np.concatenate([coded.numbers, encoding.columns(coded)], axis=1)


def learned_columns(
    coded: Coded, labels: NDArray[np.int8], seed: int, groups: NDArray[np.intp] | None
) -> NDArray[np.float32]:
    """Return `joined` for rows to learn from: categories cross-fitted, no column without any known value."""
    numbers = _without_empty_columns(coded.numbers)
    if not coded.names:
        return numbers
    return np.concatenate([numbers, crossfit_encoding(coded, labels, seed, groups)], axis=1)


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
