"""How good the answers are, on rows that neither the trees nor the calibration of an answer have seen."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from ebb.contract.model import Contract
from ebb.decision import threshold
from ebb.features.inputs import Inputs
from ebb.ports import Scorer
from training.evaluation.fairness import Fairness, fairness
from training.evaluation.money import profit_at

BINS = 10


@dataclass(frozen=True)
class Evaluation:
    """What pooled out-of-fold probabilities are worth.

    Attributes:
        rows: judged.
        class_rate: share of positive labels.
        mean_probability: of all answers; equals the class rate where calibration is right on the whole.
        auc: area under the ROC curve.
        calibration_error: see `calibration_error`.
        brier: mean squared error of the probabilities.
        log_loss: mean, natural logarithm.
        base_rate_log_loss: of always answering the class rate.
        threshold: probability at and above which acting pays.
        acted_on: share of rows at or above it.
        profit: per entity, acting at the threshold, in the decision's currency; doing nothing earns 0.
        profit_everyone: per entity, acting on everyone.
        fairness: by protected feature.
    """

    rows: int
    class_rate: float
    mean_probability: float
    auc: float
    calibration_error: float
    brier: float
    log_loss: float
    base_rate_log_loss: float
    threshold: float
    acted_on: float
    profit: float
    profit_everyone: float
    fairness: tuple[Fairness, ...]


def evaluate(
    contract: Contract, inputs: Inputs, labels: NDArray[np.int8], probabilities: NDArray[np.float64]
) -> Evaluation:
    """Judge out-of-fold probabilities [N] of N labelled rows by the contract's economics."""
    pays_from = threshold(contract.decision)
    acted = probabilities >= pays_from
    class_rate = float(labels.mean())
    return Evaluation(
        rows=len(labels),
        class_rate=class_rate,
        mean_probability=float(probabilities.mean()),
        auc=float(roc_auc_score(labels, probabilities)),
        calibration_error=calibration_error(probabilities, labels),
        brier=float(brier_score_loss(labels, probabilities)),
        log_loss=float(log_loss(labels, probabilities)),
        base_rate_log_loss=float(log_loss(labels, np.full(len(labels), class_rate))),
        threshold=pays_from,
        acted_on=float(acted.mean()),
        profit=profit_at(contract.decision, probabilities, labels, pays_from),
        profit_everyone=profit_at(contract.decision, probabilities, labels, 0.0),
        fairness=fairness(contract, inputs, labels, acted),
    )


def calibration_error(probabilities: NDArray[Any], labels: NDArray[np.int8], bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal width.

    The mean over all rows of |mean probability - share of positives| of the row's bin (Naeini et al., "Obtaining
    well calibrated probabilities using Bayesian binning", AAAI 2015).
    """
    return float(sum(abs(mean - share) * rows for mean, share, rows in reliability(probabilities, labels, bins))) / len(
        labels
    )


def reliability(
    probabilities: NDArray[Any], labels: NDArray[np.int8], bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Return (mean probability, share of positives, rows) of each bin that has rows; the last bin includes 1."""
    place = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    found = []
    for b in np.unique(place):
        rows = place == b
        found.append((float(probabilities[rows].mean()), float(labels[rows].mean()), int(rows.sum())))
    return found


def latency_ms(scorer: Scorer, inputs: Inputs, calls: int = 300) -> float:
    """Return the median milliseconds of scoring one row, over the first `calls` rows."""
    taken = []
    for i in range(calls):
        row = inputs.rows(slice(i % len(inputs), i % len(inputs) + 1))
        started = time.perf_counter()
        scorer.score(row)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1000
