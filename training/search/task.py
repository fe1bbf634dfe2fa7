"""The unit of work of a search: one fit, judged on one fold."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.fit import Candidate, Coded, fit_candidate
from training.folds import Folds


@dataclass(frozen=True)
class Material:
    """What every task of a search works on.

    Attributes:
        coded: N rows.
        labels: 0 or 1, [N].
        folds: over the rows.
        groups: number of each row's entity, [N]; None where every entity has one row.
        seed: of fits and draws.
    """

    coded: Coded
    labels: NDArray[np.int8]
    folds: Folds
    groups: NDArray[np.intp] | None
    seed: int

    def rows(self, index: NDArray[np.intp]) -> "Material":
        """Return the material of these rows."""
        groups = None if self.groups is None else self.groups[index]
        return Material(self.coded.rows(index), self.labels[index], self.folds.rows(index), groups, self.seed)


@dataclass(frozen=True)
class Task:
    """One fit.

    Attributes:
        trial: number of the trial it belongs to.
        candidate: what to fit.
        fold: which one judges.
        share: of the rows to learn from that are used, drawn by the search's seed.
    """

    trial: int
    candidate: Candidate
    fold: int
    share: float = 1.0


@dataclass(frozen=True)
class Done:
    """One fit's end.

    Attributes:
        task: the task.
        raw: log-odds of the rows held out, in their order; None where it failed.
        rows: learned from.
        seconds: it took.
        why: of a failure.
        lost: whether its process died, which says nothing about the candidate.
    """

    task: Task
    raw: NDArray[np.float64] | None
    rows: int
    seconds: float
    why: str = ""
    lost: bool = False


def perform(material: Material, task: Task) -> Done:
    """Fit and judge; a failure is told in the answer."""
    started = time.perf_counter()
    try:
        learned = learned_rows(material, task)
        groups = None if material.groups is None else material.groups[learned]
        fitted = fit_candidate(
            task.candidate, material.coded.rows(learned), material.labels[learned], seed=material.seed, groups=groups
        )
        raw = fitted.raw(material.coded.rows(material.folds.held_out(task.fold)))
    except Exception as error:  # noqa: BLE001 - whatever a library raises on this candidate, others may work
        why = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return Done(task, None, 0, time.perf_counter() - started, why)
    return Done(task, raw, len(learned), time.perf_counter() - started)


def learned_rows(material: Material, task: Task) -> NDArray[np.intp]:
    """Return the numbers of the rows that a task learns from, ascending."""
    rows = np.flatnonzero(material.folds.learned(task.fold))
    if task.share >= 1:
        return rows
    random = np.random.default_rng([material.seed, task.fold])
    drawn = random.permutation(len(rows))[: max(1, int(len(rows) * task.share))]
    return np.asarray(np.sort(rows[drawn]))
