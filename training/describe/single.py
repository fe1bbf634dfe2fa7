"""How well one feature alone ranks the label, judged on rows it was not fitted on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FOLDS, _BINS, _PRIOR_ROWS = 5, 64, 10.0
_MOST_ROWS = 50_000
LEAK_AUC = 0.98
"""From this out-of-fold AUC of a single feature on, a leak is suspected."""


def judged_rows(rows: int) -> NDArray[np.intp]:
    """Return the rows that are looked at: all, or 50,000 drawn with a fixed seed."""
    if rows <= _MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))


def single_auc(values: NDArray[Any], labels: NDArray[np.int8]) -> float:
    """Return the out-of-fold AUC of one feature, 0.5 to 1.

    Numbers are cut at quantiles, codes are taken as they are; a bin's score is its smoothed share of positive labels
    in the other folds (Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", 2001).
    A number's own order is judged too: it has nothing to overfit.

    Args:
        values: float64 [N] with NaN as missing, or integer codes [N].
        labels: int8 [N], both values present.
    """
    numeric = values.dtype.kind == "f"
    bins = _bins(values) if numeric else values.astype(np.intp)
    found = auc(labels, _out_of_fold(bins, labels))
    if numeric:
        own = auc(labels, np.where(np.isnan(values), -np.inf, values))
        found = max(found, own, 1 - own)
    return max(found, 0.5)


def auc(labels: NDArray[np.int8], scores: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve, ties counting half (Mann and Whitney, 1947)."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    positives = int(labels.sum())
    negatives = len(labels) - positives
    above = float(ranks[place][labels == 1].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def _bins(values: NDArray[np.float64]) -> NDArray[np.intp]:
    filled = values[~np.isnan(values)]
    if not len(filled):
        return np.zeros(len(values), np.intp)
    edges = np.unique(np.quantile(filled, np.linspace(0, 1, _BINS + 1), method="lower"))
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))


def _out_of_fold(bins: NDArray[np.intp], labels: NDArray[np.int8]) -> NDArray[np.float64]:
    order = np.random.default_rng(0).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.intp)
    fold[order] = np.arange(len(labels)) % _FOLDS
    size = int(np.max(bins)) + 1
    scores = np.empty(len(labels))
    for held in range(_FOLDS):
        rest, out = fold != held, fold == held
        rate = float(labels[rest].mean()) if rest.any() else 0.5
        count = np.bincount(bins[rest], minlength=size)
        positive = np.bincount(bins[rest], labels[rest], minlength=size)
        # centred on the other folds' rate, so that their small differences cannot order the folds
        scores[out] = ((positive + _PRIOR_ROWS * rate) / (count + _PRIOR_ROWS) - rate)[bins[out]]
    return scores
