"""Fits over folds: in parallel processes where the rows pay for starting them."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from multiprocessing import resource_tracker

import numpy as np
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import reusable_executor
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ebb.errors import DataError
from ebb.features.inputs import Inputs
from training.fit import TreeSize, fit_boosted

FOLDS = 5
ROWS_WORTH_PROCESSES = 20_000
"""Below this a fit takes less than starting a process (about 1.5 s)."""
_PR_SET_PDEATHSIG = 1
_Task = tuple[Inputs, NDArray[np.int8], NDArray[np.bool_], TreeSize, int]


def fold_of(labels: NDArray[np.int8], seed: int, groups: NDArray[np.intp] | None = None) -> NDArray[np.int8]:
    """Return the fold in which each row is held out, int8 [N], stratified by label.

    Args:
        labels: 0 or 1, [N].
        seed: of the shuffle.
        groups: number of each row's entity, [N]; all rows of an entity are held out together. None: one row each.

    Raises:
        DataError: too few rows of a class, or too few entities, to cross-validate.
    """
    fewest = int(min(np.sum(labels == 0), np.sum(labels == 1)))
    if fewest < FOLDS * 2:
        raise DataError(
            f"only {fewest} of {len(labels)} rows have the rarer label, but cross-validation needs at least "
            f"{FOLDS * 2}: bring more rows"
        )
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    if groups is not None and len(np.unique(groups)) < FOLDS * 2:
        raise DataError(f"cross-validation needs at least {FOLDS * 2} entities: bring more of them")
    fold = np.empty(len(labels), np.int8)
    split = splitter(FOLDS, shuffle=True, random_state=seed).split(labels[:, None], labels, groups)
    for k, (learned, held_out) in enumerate(split):
        fold[held_out] = k
        if min(np.sum(labels[learned] == 0), np.sum(labels[learned] == 1)) < FOLDS:
            raise DataError("too few entities hold the rows of the rarer label to cross-validate: bring more of them")
    return fold


def out_of_fold(
    inputs: Inputs,
    labels: NDArray[np.int8],
    fold: NDArray[np.int8],
    size: TreeSize,
    *,
    seed: int,
    advance: Callable[[int], None],
) -> NDArray[np.float64]:
    """Return log-odds [N], each row's from trees that have not seen it; `advance(1)` after every fold."""
    raw = np.empty(len(labels))
    tasks = [(inputs, labels, fold == k, size, seed) for k in range(FOLDS)]
    jobs = min(cpu_count(), FOLDS) if len(labels) >= ROWS_WORTH_PROCESSES else 1
    with closing(_results(tasks, jobs)) as results:
        for k, values in enumerate(results):
            raw[fold == k] = values
            advance(1)
    return raw


def end_workers() -> None:
    """End the worker processes that `out_of_fold` keeps for its next call, if there are any."""
    executor = reusable_executor._executor  # noqa: SLF001 - asking for it publicly would start one
    if executor is not None:
        executor.shutdown(wait=True, kill_workers=True)


def _results(tasks: list[_Task], jobs: int) -> Generator[NDArray[np.float64], None, None]:
    if jobs == 1:
        yield from (_held_out(*task) for task in tasks)
        return
    kept_close = Parallel(
        n_jobs=jobs, backend="loky", return_as="generator", initializer=_follow_parent, initargs=(os.getpid(),)
    )
    resource_tracker.ensure_running()  # whoever starts it lets Ctrl-C through again, which must not be done below
    with _ctrl_c_held():  # workers inherit that from their first line on, long before they can look after themselves
        results = kept_close(delayed(_held_out)(*task) for task in tasks)
    yield from results


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow_parent(parent: int) -> None:
    """Make this worker leave Ctrl-C to its parent, and die with it, also when it is dead already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _held_out(
    inputs: Inputs, labels: NDArray[np.int8], held_out: NDArray[np.bool_], size: TreeSize, seed: int
) -> NDArray[np.float64]:
    boosted = fit_boosted(inputs.rows(~held_out), labels[~held_out], size, seed)
    return boosted.raw(inputs.rows(held_out))
