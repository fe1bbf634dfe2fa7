"""The trials of a search so far: the best of them, and how long none was better."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from training.search.found import COMPLETE, FAILED, CurvePoint, Trial
from training.search.judge import judged
from training.search.task import Material
from training.search.under_way import UnderWay

_LEAST_GAIN = 1e-5


class Tried:
    """What was tried.

    Args:
        material: of the search.
        earlier: trials of an interrupted search.

    Attributes:
        trials: all that have ended, in the order of their ends.
        useless: how many have ended since one was better than those before it.
    """

    def __init__(self, material: Material, earlier: Sequence[Trial]) -> None:
        self._material = material
        self._points: dict[int, dict[float, CurvePoint]] = {}
        self.trials = list(earlier)
        self.useless = 0

    @property
    def best(self) -> Trial | None:
        """The best complete trial so far."""
        completed = [trial for trial in self.trials if trial.state == COMPLETE]
        return min(completed, key=lambda trial: trial.log_loss, default=None)

    def points(self, trial: Trial) -> dict[float, CurvePoint]:
        """Return what the trial has shown of its learning curve, by share of the rows."""
        return self._points.get(trial.number, {})

    def end(self, number: int, opened: UnderWay, state: str, why: str, at: float) -> Trial:
        """Judge a trial that has ended, remember and return it.

        Args:
            number: of the trial.
            opened: what it came to.
            state: as in `Trial`; one whose answers are not finite has failed.
            why: of a failure.
            at: seconds since the search began.
        """
        self._points[number] = opened.points
        raw, loss, auc = np.empty(0), math.nan, math.nan
        if state == COMPLETE:
            raw = opened.whole(self._material)
            loss, auc = judged(raw, self._material.labels, self._material.folds)
        elif opened.points:
            point = opened.points[max(opened.points)]
            loss, auc = point.log_loss, point.auc
        if state == COMPLETE and not math.isfinite(loss):
            state, why, raw = FAILED, "its answers are not finite", np.empty(0)
        best = self.best
        better = state == COMPLETE and (best is None or loss < best.log_loss - _LEAST_GAIN)
        self.useless = 0 if better else self.useless + 1
        trial = Trial(number, opened.candidate, state, loss, auc, round(opened.seconds, 3), at, why, raw)
        self.trials.append(trial)
        self._drop_raw()
        return trial

    def _drop_raw(self) -> None:
        """Keep the log-odds of the best of each family only: they are as long as the table."""
        best: dict[str, float] = {}
        for trial in self.trials:
            if trial.state == COMPLETE:
                family = trial.candidate.family
                best[family] = min(best.get(family, math.inf), trial.log_loss)
        for i, trial in enumerate(self.trials):
            if len(trial.raw) and trial.log_loss > best[trial.candidate.family]:
                self.trials[i] = replace(trial, raw=np.empty(0))
