"""How well answers rank: ROC and precision-recall curves, their areas, and the intervals of all of them.

Source: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 2006; average precision by steps, as
scikit-learn has it, since interpolating a precision flatters it (Davis and Goadrich, ICML 2006).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.measured import Measured
from training.evaluation.model import Curve
from training.evaluation.resample import Resampler

_SCORE_BINS = 256
_GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Ranked:
    """N rows in the order of their answers.

    Attributes:
        scores: the distinct answers, ascending, [K].
        rows: with each of them, [K].
        positives: among those, [K].
        place: bin of each row, [N]; about as many rows in each of at most 256 bins, which ascend with the answers.
        least: smallest answer of each bin, [B].
    """

    scores: NDArray[np.float64]
    rows: NDArray[np.float64]
    positives: NDArray[np.float64]
    place: NDArray[np.intp]
    least: NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """The figures and curves of a ranking."""

    auc: Measured
    average_precision: Measured
    roc: Curve
    precision_recall: Curve


def rank(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> Ranked:
    """Sort N answers once; everything else is read from the result."""
    order = np.argsort(probabilities, kind="stable")
    ascending = probabilities[order]
    starts = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
    rows = np.diff(np.append(starts, len(ascending))).astype(np.float64)
    positives = np.add.reduceat(labels[order].astype(np.float64), starts)
    edges = np.unique(ascending[(np.arange(_SCORE_BINS) * len(ascending)) // _SCORE_BINS])
    place = np.searchsorted(edges, probabilities, side="right") - 1
    return Ranked(ascending[starts], rows, positives, place, edges)


def ranking(ranked: Ranked, labels: NDArray[np.int8], resampler: Resampler) -> Ranking:
    """Return figures and curves of N ranked rows, of which some are positive and some are not."""
    bins = len(ranked.least)
    cells = resampler.cells(ranked.place * 2 + labels, bins * 2).reshape(-1, bins, 2)
    exact = ranked.rows[None], ranked.positives[None]
    binned = cells.sum(axis=2), cells[:, :, 1]
    true, false, precision = _rates(*exact)
    trues, falses, precisions = _rates(*binned)
    roc = np.stack([np.interp(_GRID, f, t) for f, t in zip(falses, trues, strict=True)])
    recalled = np.stack([_at_recall(t, p) for t, p in zip(trues, precisions, strict=True)])
    return Ranking(
        resampler.measured(float(_auc(true, false)[0]), _auc(trues, falses), 0, 1),
        resampler.measured(float(_precision(true, precision)[0]), _precision(trues, precisions), 0, 1),
        _curve(np.interp(_GRID, false[0], true[0]), roc, resampler),
        _curve(_at_recall(true[0], precision[0]), recalled, resampler),
    )


def auc_of(rows: NDArray[np.float64], positives: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return areas under ROC curves [R] from counts by ascending answers [R, K]; NaN where a class is absent."""
    true, false, _ = _rates(rows, positives)
    return _auc(true, false)


def curve(x: NDArray[np.float64], y: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> Curve:
    """Return arrays [K] as a curve, with six significant digits."""
    return Curve(*(tuple(float(f"{v:.6g}") for v in values.tolist()) for values in (x, y, low, high)))


def _rates(
    rows: NDArray[np.float64], positives: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return true and false positive rates and precisions [R, K + 1], from acting on no one to acting on everyone."""
    acted = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows[:, ::-1], axis=1)], axis=1)
    found = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(positives[:, ::-1], axis=1)], axis=1)
    wrong = acted - found
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(acted > 0, found / acted, 1.0)
        return found / found[:, -1:], wrong / wrong[:, -1:], precision


def _auc(true: NDArray[np.float64], false: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = (np.diff(false, axis=1) * (true[:, 1:] + true[:, :-1]) / 2).sum(axis=1)
    return area


def _precision(true: NDArray[np.float64], precision: NDArray[np.float64]) -> NDArray[np.float64]:
    steps: NDArray[np.float64] = (np.diff(true, axis=1) * precision[:, 1:]).sum(axis=1)
    return steps


def _at_recall(true: NDArray[np.float64], precision: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the precision at the first threshold that finds at least each share of the grid."""
    place = np.searchsorted(true[1:], _GRID - 1e-12)
    found: NDArray[np.float64] = precision[1:][np.minimum(place, len(precision) - 2)]
    return found


def _curve(y: NDArray[np.float64], samples: NDArray[np.float64], resampler: Resampler) -> Curve:
    return curve(_GRID, y, *resampler.band(y, samples, 0, 1))
