"""Which size of trees fits this table best: a few candidates, compared out of fold, within a budget of seconds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from ebb.features.inputs import Inputs
from training.calibrate import Model, crossfit_platt, fit_platt
from training.fit import TreeSize, fit_boosted
from training.folds import FOLDS, end_workers, fold_of, out_of_fold
from training.progress import Progress

SIZES = (
    TreeSize("default", leaves=31, rate=0.1, trees=100),
    TreeSize("small", leaves=8, rate=0.05, trees=120),
    TreeSize("middle", leaves=16, rate=0.06, trees=200),
)
"""No one size fits all tables: on some the default is best, on others it overfits and the small one wins."""


@dataclass(frozen=True)
class Trial:
    """One candidate, compared.

    Attributes:
        size: what was tried.
        log_loss: of the calibrated out-of-fold probabilities; the lowest wins.
        auc: of the same.
        seconds: it took.
        raw: out-of-fold log-odds, [N].
    """

    size: TreeSize
    log_loss: float
    auc: float
    seconds: float
    raw: NDArray[np.float64]


@dataclass(frozen=True)
class Search:
    """What the search found.

    Attributes:
        best: the winning trial.
        trials: all that ran, in their order.
        skipped: names of the sizes for which the budget was too short.
        fold: the fold in which each row was held out, [N].
    """

    best: Trial
    trials: tuple[Trial, ...]
    skipped: tuple[str, ...]
    fold: NDArray[np.int8]


def search(
    inputs: Inputs,
    labels: NDArray[np.int8],
    *,
    seconds: float | None,
    seed: int,
    progress: Progress,
    groups: NDArray[np.intp] | None = None,
    sizes: Sequence[TreeSize] = SIZES,
    clock: Callable[[], float] = time.monotonic,
) -> Search:
    """Compare the sizes out of fold.

    Args:
        inputs: N rows.
        labels: 0 or 1, [N].
        seconds: the budget; the first size always finishes, another one starts only when the pace so far says
            that it will finish in time. None is no limit.
        seed: of folds and fits.
        progress: told after every fold.
        groups: number of each row's entity, [N]; None where every entity has one row.
        sizes: the candidates, the most useful first.
        clock: seconds, monotonic.

    Raises:
        DataError: too few rows of a class.
    """
    fold = fold_of(labels, seed, groups)
    trials: list[Trial] = []
    skipped: list[str] = []
    started = clock()
    try:
        with progress.step("Search the size of the trees", FOLDS * len(sizes)) as advance:
            for size in sizes:
                if seconds is not None and trials and clock() - started + _expected(trials, size) > seconds:
                    skipped.append(size.name)
                    advance(FOLDS)
                    continue
                began = clock()
                raw = out_of_fold(inputs, labels, fold, size, seed=seed, advance=advance)
                calibrated = crossfit_platt(raw, labels, fold)
                loss, auc = float(log_loss(labels, calibrated)), float(roc_auc_score(labels, calibrated))
                trials.append(Trial(size, loss, auc, clock() - began, raw))
    finally:
        end_workers()
    best = min(trials, key=lambda trial: trial.log_loss)
    return Search(best, tuple(trials), tuple(skipped), fold)


def fit_best(inputs: Inputs, labels: NDArray[np.int8], found: Search, seed: int) -> Model:
    """Fit the winning size on all rows; its calibration comes from all of the search's out-of-fold log-odds."""
    return Model(fit_boosted(inputs, labels, found.best.size, seed), fit_platt(found.best.raw, labels))


def _expected(trials: Sequence[Trial], size: TreeSize) -> float:
    """Estimate the seconds of a trial by the slowest pace so far."""
    return max(trial.seconds / trial.size.work for trial in trials) * size.work
