"""How good log-odds are that were answered for rows nobody learned from."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from training.calibrate import crossfit_platt, fit_platt
from training.folds import Folds

Figures = tuple[float, float]
"""Log loss and AUC."""


def judged(raw: NDArray[np.float64], labels: NDArray[np.int8], folds: Folds) -> Figures:
    """Judge out-of-fold log-odds [N], each fold calibrated by the others."""
    held = folds.held
    calibrated = crossfit_platt(raw[held], labels[held], folds.fold[held], temporal=folds.times is not None)
    return _figures(calibrated, labels[held])


def judged_alone(raw: NDArray[np.float64], labels: NDArray[np.int8]) -> Figures:
    """Judge the log-odds of one fold [M], calibrated by themselves: two parameters flatter all candidates alike."""
    return _figures(fit_platt(raw, labels).probability(raw), labels)


def _figures(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> Figures:
    return float(log_loss(labels, probabilities)), float(roc_auc_score(labels, probabilities))
