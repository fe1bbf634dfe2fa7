"""A silent search over stratified folds, for tests that need a search's outcome."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from training.fit import Candidate, Coded
from training.folds import Folds, fold_of
from training.progress import Silent
from training.search import SIZES, Budget, Search, search


def searched(
    rows: Inputs | Coded,
    labels: NDArray[np.int8],
    first: Sequence[Candidate] = SIZES,
    *,
    seed: int = 0,
    groups: NDArray[np.intp] | None = None,
    budget: Budget | None = None,
) -> Search:
    """Compare these candidates, and no others where there is no budget."""
    folds = Folds(fold_of(labels, seed, groups))
    return search(
        rows,
        labels,
        folds,
        budget=budget or Budget(),
        seed=seed,
        progress=Silent(),
        groups=groups,
        first=tuple(first),
    )
