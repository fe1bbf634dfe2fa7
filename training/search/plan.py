"""How much of a large table a search can afford: on how many folds it judges, and from how many rows it learns.

On a small table the first candidate always takes all folds and all rows. On a large one that may take many times the
budget, so its cost is measured on a small share of the rows first. What does not fit is given up in this order: folds,
as long as those that stay hold enough rows of the rarer label to judge by, then rows to learn from.
"""

import math
from dataclasses import dataclass

import numpy as np

from training.fit import Candidate
from training.folds import Folds
from training.progress import Progress
from training.search.budget import Budget
from training.search.pace import Pace, measured
from training.search.task import Material
from training.search.time_left import REFIT

LARGE_CELLS = 5_000_000
"""Rows times features, from which a table is large; 120,000 x 32 are not."""
_LEAST_ROWS = 100_000
"""That a search uses even where nothing is left of the budget: enough to judge by, and a fit takes seconds."""
_JUDGING = 500
"""Rows of the rarer label that judge at least, where the table has them: an AUC is then known to about 0.02."""
_WORTH_MEASURING = 5.0
"""Seconds; with fewer only the least is possible anyway."""
_PER_CELL = 2e-8
"""Seconds to write the table for the workers and to judge their answers, by cell."""
_START = 2.0
"""Seconds to start workers."""
_SURE = 0.9
"""Share of the seconds that is planned with."""


@dataclass(frozen=True)
class Plan:
    """What a search uses.

    Attributes:
        folds: that judge.
        share: of the rows that are used at all.
    """

    folds: int
    share: float = 1.0


def make_plan(material: Material, first: Candidate, budget: Budget, progress: Progress, *, slots: int) -> Plan:
    """Choose how much of a table the first candidate and its refit can take.

    Args:
        material: all rows and folds.
        first: the candidate that always finishes.
        budget: of the search.
        progress: shown that a fit is measured.
        slots: fits at once.
    """
    every = Plan(material.folds.count)
    cells = len(material.labels) * (material.coded.numbers.shape[1] + material.coded.codes.shape[1])
    if budget.seconds is None or cells < LARGE_CELLS:
        return every
    began = budget.clock() if budget.started is None else budget.started
    left = began + budget.seconds - budget.clock()
    least = _least(material, slots)
    if left < _WORTH_MEASURING:
        return least
    until = budget.clock() + left
    with progress.step("Measure what a fit takes", 1) as advance:
        pace = measured(material, first, seconds=left)
        advance(1)
    if pace is None:  # a candidate that fails does so in all folds alike, and takes no time
        return every
    seconds = _SURE * (until - budget.clock()) - _START - _PER_CELL * cells
    return _chosen(material, pace, least, seconds, slots)


def _chosen(material: Material, pace: Pace, least: Plan, seconds: float, slots: int) -> Plan:
    folds, rows = material.folds, len(material.labels)
    learned = int(folds.learned(folds.count - 1).sum())
    for count in range(folds.count, least.folds - 1, -1):
        if _fits(count, slots) * pace.seconds(learned) <= seconds:
            return Plan(count)
    affordable = pace.rows(seconds / _fits(least.folds, slots)) / learned
    return Plan(least.folds, min(1.0, max(least.share, math.floor(affordable * rows) / rows)))


def _fits(count: int, slots: int) -> float:
    """Return how many fits of a fold the whole takes, one after the other, the refit among them."""
    return math.ceil(count / slots) + REFIT


def _least(material: Material, slots: int) -> Plan:
    """Return the least that the data supports; folds that are fitted at the same time cost nothing more."""
    labels, folds = material.labels, material.folds
    rarer = labels == (labels.mean() < 1 / 2)
    share = min(1.0, max(_LEAST_ROWS / len(labels), _JUDGING * folds.count / max(1, int(rarer.sum()))))
    count = min(slots, folds.count)
    while count < folds.count and share * np.sum(rarer & (folds.fold >= folds.count - count)) < _SURE * _JUDGING:
        count += 1
    return Plan(count, share)


def narrowed(folds: Folds, plan: Plan, seed: int) -> Folds:
    """Return the last of the folds, and only a share of the rows, drawn by the seed; the rest is left out."""
    if plan.folds == folds.count and plan.share >= 1:
        return folds
    rows = len(folds.fold)
    drawn = np.ones(rows, np.bool_)
    if plan.share < 1:
        drawn[np.random.default_rng([seed, rows]).permutation(rows)[max(1, round(rows * plan.share)) :]] = False
    return folds.narrowed(plan.folds, drawn)


def given_up(folds: Folds) -> str:
    """Return what a search has given up for the sake of its budget, in a sentence without a beginning; else nothing."""
    told = []
    if folds.count < folds.of:
        told.append(f"only {folds.count} of {folds.of} folds judge ({int(folds.held.sum()):,} rows)")
    if not folds.used.all():
        told.append(f"it learned from {int(folds.used.sum()):,} of {len(folds.fold):,} rows, drawn by the seed")
    return ", and ".join(told)
