"""Small calibrated models of every family, for tests of what comes after a fit."""

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from tests.fakes.tables import TINY
from training.calibrate import Model, fit_platt
from training.fit import Candidate, Linear, TreeSize, fit_candidate

FAMILIES = ("boosted", "lightgbm", "logistic")


def candidate_of(family: str, *, leaves: int = TINY.leaves, trees: int = TINY.trees) -> Candidate:
    """Return a small candidate of a family."""
    if family == "logistic":
        return Linear("tiny", 1.0)
    return TreeSize("tiny", leaves, 0.2, trees, family=family)


def fit_family(
    family: str, inputs: Inputs, labels: NDArray[np.int8], *, leaves: int = TINY.leaves, trees: int = TINY.trees
) -> Model:
    """Fit a family, and a calibration on its own answers: good enough to be exported."""
    fitted = fit_candidate(candidate_of(family, leaves=leaves, trees=trees), inputs, labels, seed=0)
    return Model(fitted, fit_platt(fitted.raw(inputs), labels))
