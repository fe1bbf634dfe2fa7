"""LightGBM's boosted trees on the same columns, where LightGBM is installed.

Imported only when it is asked for: it takes a second to import, and everything else works without it.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.errors import Misuse
from ebb.features.inputs import Inputs
from training.fit.boosted import LIGHTGBM, TreeSize, joined, learned_columns
from training.fit.coded import Coded, code
from training.fit.encoding import TargetEncoding, fit_encoding


@dataclass(frozen=True)
class LightTrees:
    """A fitted encoding and LightGBM's trees.

    Attributes:
        encoding: of the categories.
        booster: the fitted lightgbm.Booster.
        family: for people.
    """

    encoding: TargetEncoding
    booster: Any
    family: str = LIGHTGBM

    def columns(self, rows: Inputs | Coded) -> NDArray[np.float32]:
        """Return what the trees see: float32 [N, n + c], numbers first, then encoded categories."""
        return joined(rows, self.encoding)

    def raw(self, rows: Inputs | Coded) -> NDArray[np.float64]:
        """Return the trees' log-odds before calibration, float64 [N]."""
        raw: NDArray[np.float64] = self.booster.predict(self.columns(rows), raw_score=True, num_threads=1)
        return raw


def lightgbm_installed() -> bool:
    """Tell whether the family can be offered, without importing it."""
    return find_spec(LIGHTGBM) is not None


def fit_lightgbm(
    rows: Inputs | Coded,
    labels: NDArray[np.int8],
    size: TreeSize,
    seed: int,
    groups: NDArray[np.intp] | None = None,
) -> LightTrees:
    """Fit encoding and trees on N rows with one thread: the same rows and seed give the same bits.

    Args:
        rows: N of them.
        labels: 0 or 1, [N]; at least five of each.
        size: of the trees.
        seed: of the folds of the encoding, and of the columns that a split looks at.
        groups: number of each row's entity, [N]; None where every entity has one row.

    Raises:
        Misuse: LightGBM is not installed.
    """
    if not lightgbm_installed():
        raise Misuse("LightGBM is not installed: install the package `lightgbm`, or leave this family out")
    lightgbm: Any = import_module(LIGHTGBM)
    coded = code(rows)
    learned = lightgbm.Dataset(learned_columns(coded, labels, seed, groups), label=labels)
    booster = lightgbm.train(_parameters(size, seed), learned, num_boost_round=size.trees)
    return LightTrees(fit_encoding(coded, labels), booster)


def _parameters(size: TreeSize, seed: int) -> dict[str, Any]:
    """Return LightGBM's own names: https://lightgbm.readthedocs.io/en/stable/Parameters.html."""
    return {
        "objective": "binary",
        "num_leaves": size.leaves,
        "learning_rate": size.rate,
        "min_data_in_leaf": size.least_rows,
        "lambda_l2": size.l2,
        "feature_fraction_bynode": size.share,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": seed,
        "verbosity": -1,
    }
