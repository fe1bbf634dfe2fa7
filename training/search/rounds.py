"""The rounds of a search: keep every worker busy, give candidates up early, stop in time."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from training.fit import Candidate
from training.progress import Progress
from training.search.budget import Budget
from training.search.curve import judging_fold, point_of
from training.search.found import COMPLETE, FAILED, PRUNED, STOPPED, CurvePoint, Trial
from training.search.judge import judged
from training.search.proposals import Proposals
from training.search.runners import Runner
from training.search.task import Done, Material, Task
from training.search.time_left import TimeLeft
from training.search.under_way import PART, UnderWay, stages_of

PATIENCE = 60
"""Candidates in a row without a better one, after which the search ends before its budget."""
_LEAST_GAIN = 1e-5
_FITTING = 30
"""Proposals in a row that would not end in time, after which no more are asked for."""
_ROWS_WORTH_PART = 20_000
_STEPS = {PART: 1, 1.0: 3}


class Rounds:
    """One search's state.

    Args:
        material: what is learned from.
        proposals: what to try.
        runner: who fits.
        budget: what ends it.
        shipped: how many candidates come before the sampler's.
    """

    def __init__(
        self, material: Material, proposals: Proposals, runner: Runner, budget: Budget, *, shipped: int
    ) -> None:
        self._material, self._proposals, self._runner, self._budget = material, proposals, runner, budget
        self.trials = proposals.earlier()
        self.resumed = len(self.trials)
        self.skipped: list[str] = []
        self._names = {trial.candidate.name for trial in self.trials}
        before = max((trial.at for trial in self.trials), default=0.0)
        self._time = TimeLeft(budget, material.folds.count, before)
        self._open: dict[int, UnderWay] = {}
        self._points: dict[int, dict[float, CurvePoint]] = {}
        self._exhausted = False
        self._begun = len(self.trials)
        self._useless = 0
        self._shipped = shipped

    @property
    def spent(self) -> float:
        """Seconds since the search began, those of an interrupted one included."""
        return self._time.spent

    @property
    def left(self) -> float | None:
        """Seconds until only the refit fits into the budget; None without a limit."""
        return self._time.left(self._best())

    def points(self, trial: Trial) -> dict[float, CurvePoint]:
        """Return what the trial has shown of its learning curve, by share of the rows."""
        return self._points.get(trial.number, {})

    def run(self, progress: Progress) -> None:
        """Search until the budget is used up or nothing is left to try."""
        with progress.step("Search", self._total) as advance:
            meter = _Meter(self._total, advance)
            while not self._over():
                self._fill()
                if self._runner.free == self._runner.slots:
                    break
                for done in self._runner.wait(self.left if self._best() else None):
                    self._take(done)
                    meter.to(self._fraction())
            meter.to(1.0)
        for number in list(self._open):
            self._end(number, STOPPED)

    @property
    def _total(self) -> int:
        return 100 if self._budget.open_ended else self._shipped * self._material.folds.count

    def _fraction(self) -> float:
        if self._budget.seconds is not None:
            return self._time.share
        if self._budget.trials is not None:
            return len(self.trials) / max(self._budget.trials, 1)
        fits = sum(len(opened.raw) for opened in self._open.values())
        return (fits + (len(self.trials) + len(self.skipped)) * self._material.folds.count) / self._total

    def _over(self) -> bool:
        left = self.left
        return left is not None and left <= 0 and self._best() is not None

    def _best(self) -> Trial | None:
        completed = [trial for trial in self.trials if trial.state == COMPLETE]
        return min(completed, key=lambda trial: trial.log_loss, default=None)

    def _fill(self) -> None:
        while self._runner.free:
            task = self._next()
            if task is None:
                return
            self._open[task.trial].running += 1
            self._runner.submit(task)

    def _next(self) -> Task | None:
        for opened in self._open.values():
            if opened.stages and opened.stages[0]:
                return opened.stages[0].pop(0)
        begun = self._begin()
        if begun is None:
            return None
        number, candidate = begun
        self._begun += 1
        halving = self._budget.open_ended and self._begun > 1
        stages = stages_of(number, candidate, self._material, halving=halving, part=self._parts)
        self._open[number] = UnderWay(candidate, stages)
        return self._open[number].stages[0].pop(0)

    def _begin(self) -> tuple[int, Candidate] | None:
        if self._budget.trials is not None and self._begun >= max(1, self._budget.trials):
            return None
        while (begun := self._proposals.shipped(self._names)) is not None:
            if self._begun == 0 or self._fits(begun[1]):
                return begun
            self.skipped.append(begun[1].name)
            self._forget(begun)
        for _ in range(_FITTING):
            if not self._budget.open_ended or self._exhausted or self._useless >= PATIENCE:
                return None
            begun = self._proposals.propose()
            if self._fits(begun[1]):
                return begun
            self._forget(begun)
        self._exhausted = True
        return None

    def _forget(self, begun: tuple[int, Candidate]) -> None:
        self._proposals.end(Trial(begun[0], begun[1], STOPPED, math.nan, math.nan, 0.0, self.spent))

    def _fits(self, candidate: Candidate) -> bool:
        part = PART if self._parts else 0.0
        return self._time.fits(candidate, self._best(), part=part, slots=self._runner.slots)

    @property
    def _parts(self) -> bool:
        return self._budget.open_ended and len(self._material.labels) >= _ROWS_WORTH_PART

    def _take(self, done: Done) -> None:
        number = done.task.trial
        opened = self._open.get(number)
        if opened is None:  # of a trial that failed meanwhile
            return
        opened.running -= 1
        opened.seconds += done.seconds
        if done.lost and not opened.retried:  # whoever killed a process killed no candidate: once more
            opened.retried = True
            opened.stages[0].insert(0, done.task)
            return
        if done.raw is None:
            self._end(number, FAILED, done.why)
            return
        task = done.task
        self._time.learn(done)
        if task.fold == judging_fold(self._material.folds) and (point := point_of(self._material, done)):
            opened.points[task.share] = point
        if task.share >= 1:
            opened.raw[task.fold] = done.raw
        if opened.running == 0 and not opened.stages[0]:
            self._next_stage(number, opened)

    def _next_stage(self, number: int, opened: UnderWay) -> None:
        opened.stages.pop(0)
        if not opened.stages:
            self._end(number, COMPLETE)
            return
        share = opened.looked_at
        loss = opened.points[share].log_loss if share in opened.points else math.inf
        if self._proposals.give_up(number, _STEPS[share], loss):
            self._end(number, PRUNED)

    def _end(self, number: int, state: str, why: str = "") -> None:
        opened = self._open.pop(number)
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
        best = self._best()
        trial = Trial(number, opened.candidate, state, loss, auc, round(opened.seconds, 3), self.spent, why, raw)
        better = state == COMPLETE and (best is None or loss < best.log_loss - _LEAST_GAIN)
        self._useless = 0 if better else self._useless + 1
        self._proposals.end(trial)
        self.trials.append(trial)
        self._drop_raw()

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


class _Meter:
    """Tells a progress bar in whole units how far a fraction is."""

    def __init__(self, total: int, advance: Callable[[int], None]) -> None:
        self._total, self._advance, self._told = total, advance, 0

    def to(self, fraction: float) -> None:
        """Advance to a share of the whole, never back."""
        now = min(self._total, int(fraction * self._total + 1e-9))
        if now > self._told:
            self._advance(now - self._told)
            self._told = now
