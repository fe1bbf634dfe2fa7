"""Every family of estimators behind one call."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from training.fit.boosted import BOOSTED, LIGHTGBM, TreeSize, fit_boosted
from training.fit.coded import Coded
from training.fit.encoding import TargetEncoding
from training.fit.lightgbm import fit_lightgbm
from training.fit.logistic import LOGISTIC, Linear, fit_logistic

Candidate = TreeSize | Linear
FAMILIES = (BOOSTED, LOGISTIC, LIGHTGBM)


class Fitted(Protocol):
    """A fitted estimator with its encoding."""

    @property
    def family(self) -> str:
        """One of `FAMILIES`."""

    @property
    def encoding(self) -> TargetEncoding:
        """Of the categories."""

    def raw(self, rows: Inputs | Coded) -> NDArray[np.float64]:
        """Return log-odds before calibration, float64 [N]."""


def fit_candidate(
    candidate: Candidate,
    rows: Inputs | Coded,
    labels: NDArray[np.int8],
    *,
    seed: int,
    groups: NDArray[np.intp] | None = None,
) -> Fitted:
    """Fit one candidate on N rows with one thread; see the family's own function."""
    if isinstance(candidate, Linear):
        return fit_logistic(rows, labels, candidate, seed, groups)
    if candidate.family == LIGHTGBM:
        return fit_lightgbm(rows, labels, candidate, seed, groups)
    return fit_boosted(rows, labels, candidate, seed, groups)
