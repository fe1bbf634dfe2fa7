"""Fits of one candidate: target-encoded categories beside the numbers, then the family's own estimator."""

from training.fit.boosted import Boosted, TreeSize, fit_boosted
from training.fit.coded import Coded, code
from training.fit.families import Candidate, Fitted, fit_candidate
from training.fit.logistic import Linear, Logistic, fit_logistic

__all__ = [
    "Boosted",
    "Candidate",
    "Coded",
    "Fitted",
    "Linear",
    "Logistic",
    "TreeSize",
    "code",
    "fit_boosted",
    "fit_candidate",
    "fit_logistic",
]
