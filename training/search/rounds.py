"""The rounds of a search: keep every worker busy, give candidates up early, stop in time."""

import math

from training.progress import Progress
from training.search.budget import Budget
from training.search.curve import judging_fold, point_of
from training.search.found import COMPLETE, FAILED, PRUNED, STOPPED
from training.search.meter import Meter
from training.search.next_up import NextUp
from training.search.proposals import Proposals
from training.search.runners import Runner
from training.search.task import Done, Material, Task
from training.search.time_left import TimeLeft
from training.search.tried import Tried
from training.search.under_way import PART, UnderWay, stages_of

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

    Attributes:
        tried: the trials so far.
        resumed: how many of them an interrupted search had brought.
    """

    def __init__(
        self, material: Material, proposals: Proposals, runner: Runner, budget: Budget, *, shipped: int
    ) -> None:
        self._material, self._proposals, self._runner, self._budget = material, proposals, runner, budget
        self.tried = Tried(material, proposals.earlier())
        self.resumed = len(self.tried.trials)
        before = max((trial.at for trial in self.tried.trials), default=0.0)
        self._time = TimeLeft(budget, material.folds.count, before)
        self._parts = budget.open_ended and len(material.labels) >= _ROWS_WORTH_PART
        self._next_up = NextUp(proposals, self.tried, self._time, budget, parts=self._parts, slots=runner.slots)
        self._open: dict[int, UnderWay] = {}
        self._shipped = shipped

    @property
    def skipped(self) -> tuple[str, ...]:
        """Names of shipped candidates that would not have ended in time."""
        return tuple(self._next_up.skipped)

    @property
    def spent(self) -> float:
        """Seconds since the search began, those of an interrupted one included."""
        return self._time.spent

    @property
    def left(self) -> float | None:
        """Seconds until only the refit fits into the budget; None without a limit."""
        return self._time.left(self.tried.best)

    def run(self, progress: Progress) -> None:
        """Search until the budget is used up or nothing is left to try."""
        with progress.step("Search", self._total) as advance:
            meter = Meter(self._total, advance)
            while not self._over():
                self._fill()
                if self._runner.free == self._runner.slots:
                    break
                for done in self._runner.wait(self.left if self.tried.best else None):
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
            return len(self.tried.trials) / max(self._budget.trials, 1)
        fits = sum(len(opened.raw) for opened in self._open.values())
        over = len(self.tried.trials) + len(self.skipped)
        return (fits + over * self._material.folds.count) / self._total

    def _over(self) -> bool:
        left = self.left
        return left is not None and left <= 0 and self.tried.best is not None

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
        begun = self._next_up.begin()
        if begun is None:
            return None
        number, candidate = begun
        halving = self._budget.open_ended and self._next_up.begun > 1
        stages = stages_of(number, candidate, self._material, halving=halving, part=self._parts)
        self._open[number] = UnderWay(candidate, stages)
        return self._open[number].stages[0].pop(0)

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
        self._proposals.end(self.tried.end(number, self._open.pop(number), state, why, self.spent))
