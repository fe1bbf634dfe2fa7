"""What single features tell on their own, and whether an entity's rows stand on both sides of a fold.

No figure proves a leak: a feature that alone ranks almost perfectly, or that the model rests on almost alone, is
evidence for people who know when its value is written.
"""

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from training.describe.single import LEAK_AUC, single_auc
from training.evaluation.evidence import Leakage, SingleFeature
from training.fit.coded import Coded

_MOST_ROWS = 10_000
_MOST_TOLD = 10


def leakage(
    contract: Contract,
    coded: Coded,
    labels: NDArray[np.int8],
    fold: NDArray[np.int8],
    *,
    by_time: bool = False,
    groups: NDArray[np.intp] | None = None,
    importance: NDArray[np.float64] | None = None,
) -> Leakage:
    """Look for leaks.

    Args:
        contract: names the features.
        coded: N rows.
        labels: 0 or 1, [N]; both occur.
        fold: in which each row was held out, [N]; negative where it never was.
        by_time: whether folds are stretches of time, in which an entity may well come again.
        groups: number of each row's entity, [N]; None where every entity has one row.
        importance: of the features, numbers first; None where it is not known.
    """
    drawn = _drawn(len(labels))
    some, known = coded.rows(drawn), labels[drawn]
    columns = [*contract.numbers, *contract.categories]
    aucs = _aucs(some, known)
    shares = [None] * len(columns) if importance is None else importance.tolist()
    singles = [
        SingleFeature(feature.name, auc, share, auc >= LEAK_AUC)
        for feature, auc, share in zip(columns, aucs, shares, strict=True)
    ]
    singles.sort(key=lambda single: -single.auc)
    return Leakage(len(drawn), tuple(singles[:_MOST_TOLD]), shared_entities(fold, groups), by_time)


def shared_entities(fold: NDArray[np.int8], groups: NDArray[np.intp] | None) -> int:
    """Return how many entities have rows that were held out in different folds."""
    if groups is None:
        return 0
    held = fold >= 0
    pairs = np.unique(groups[held].astype(np.int64) * 128 + fold[held])
    _, folds = np.unique(pairs // 128, return_counts=True)
    return int((folds > 1).sum())


def single_aucs(coded: Coded, labels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return what each feature tells on its own: out-of-fold AUCs [n + c], numbers first, on at most 10,000 of N rows.

    They rank features where nothing but a graph is known of the model.
    """
    drawn = _drawn(len(labels))
    return np.array(_aucs(coded.rows(drawn), labels[drawn]))


def _aucs(coded: Coded, labels: NDArray[np.int8]) -> list[float]:
    return [_auc(coded, j, labels) for j in range(coded.numbers.shape[1] + coded.codes.shape[1])]


def _drawn(rows: int) -> NDArray[np.intp]:
    if rows <= _MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))


def _auc(coded: Coded, column: int, labels: NDArray[np.int8]) -> float:
    if not 0 < int(labels.sum()) < len(labels):
        return 0.5
    numbers = coded.numbers.shape[1]
    if column < numbers:
        return single_auc(coded.numbers[:, column].astype(np.float64), labels)
    return single_auc(coded.codes[:, column - numbers], labels)
