"""The learning curve: would more rows help?"""

from collections.abc import Mapping

from training.folds import Folds
from training.search.found import CurvePoint, Trial
from training.search.judge import judged_alone
from training.search.runners import Runner
from training.search.task import Done, Material, Task

SHARES = (1 / 9, 1 / 3, 1.0)
_LEAST_ROWS = 200
_START = 2.0
"""Seconds to start a worker anew."""


def judging_fold(folds: Folds) -> int:
    """Return the fold that parts of the work are judged on: the last one, which with times has learned most."""
    return folds.count - 1


def learning_curve(
    material: Material, best: Trial, runner: Runner, known: Mapping[float, CurvePoint], *, seconds: float | None
) -> tuple[CurvePoint, ...]:
    """Fit the winner on ever larger shares of one fold's rows.

    Args:
        material: of the search.
        best: its winner.
        runner: performs the missing fits; none of its slots is busy.
        known: points that the search has met anyway, by share.
        seconds: that may be used; None is no limit.

    Returns:
        Points from few rows to all; those that there was no time or that there are no rows for are left out.
    """
    points = dict(known)
    fold = judging_fold(material.folds)
    pace = best.seconds / material.folds.count
    rows = int(material.folds.learned(fold).sum())
    for share in SHARES:
        if share in points or rows * share < _LEAST_ROWS:
            continue
        if seconds is not None and pace * share + _START > seconds:
            continue
        runner.submit(Task(best.number, best.candidate, fold, share))
        for done in runner.wait(seconds):
            seconds = None if seconds is None else seconds - done.seconds
            if (point := point_of(material, done)) is not None:
                points[share] = point
    return tuple(points[share] for share in sorted(points))


def point_of(material: Material, done: Done) -> CurvePoint | None:
    """Return the point that one fit is worth; None where it failed."""
    if done.raw is None:
        return None
    loss, auc = judged_alone(done.raw, material.labels[material.folds.held_out(done.task.fold)])
    return CurvePoint(done.rows, loss, auc)
