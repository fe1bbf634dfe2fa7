"""A trial under way: its fits in stages, so that a candidate can be given up between them."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.fit import Candidate
from training.search.curve import judging_fold
from training.search.found import CurvePoint
from training.search.task import Material, Task

PART = 1 / 3
"""Share of the rows of a first look."""


@dataclass
class UnderWay:
    """A trial.

    Attributes:
        candidate: what is tried.
        stages: tasks still to be begun, those of the present stage first.
        running: tasks begun and not ended.
        seconds: of all fits.
        raw: log-odds of the rows held out, by fold.
        points: what was met of the learning curve, by share of the rows.
        retried: whether a task was begun again after its worker died, which is done once.
    """

    candidate: Candidate
    stages: list[list[Task]]
    running: int = 0
    seconds: float = 0.0
    raw: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    points: dict[float, CurvePoint] = field(default_factory=dict)
    retried: bool = False

    @property
    def looked_at(self) -> float:
        """Share of the rows that the stages so far have learned from, on the judging fold."""
        return max(self.points, default=1.0)

    def whole(self, material: Material) -> NDArray[np.float64]:
        """Return the log-odds of all rows [N], NaN where they are never held out."""
        raw = np.full(len(material.labels), np.nan)
        for fold, values in self.raw.items():
            raw[material.folds.held_out(fold)] = values
        return raw


def stages_of(number: int, candidate: Candidate, material: Material, *, halving: bool, part: bool) -> list[list[Task]]:
    """Return the tasks of a trial in stages.

    Args:
        number: of the trial.
        candidate: to be tried.
        material: of the search.
        halving: whether it may be given up: then one fold comes before the others.
        part: whether a share of the rows comes before that.
    """
    judge = judging_fold(material.folds)
    first = Task(number, candidate, judge)
    rest = [Task(number, candidate, k) for k in range(material.folds.count) if k != judge]
    if not halving:
        return [[first, *rest]]
    stages = [[first], rest] if rest else [[first]]
    return [[replace(first, share=PART)], *stages] if part else stages
