"""How much time a search has left, and whether a candidate would end in it."""

from collections import defaultdict

from training.fit import Candidate
from training.search.budget import Budget
from training.search.found import Trial
from training.search.task import Done

REFIT = 1.5
"""Seconds of a refit on all rows, a second core idle, in seconds of a fold's fit; measured 1.25 to 1.4."""


class TimeLeft:
    """The budget's clock.

    Args:
        budget: of the search.
        folds: how many fits make a whole trial.
        before: seconds that an interrupted search has used already.
    """

    def __init__(self, budget: Budget, folds: int, before: float) -> None:
        self._budget, self._folds, self._before = budget, folds, before
        self._began = budget.clock()
        self._started = (self._began if budget.started is None else budget.started) - before
        self._work: dict[str, float] = defaultdict(float)
        self._worked: dict[str, float] = defaultdict(float)

    @property
    def spent(self) -> float:
        """Seconds since the search began, those of an interrupted one included."""
        return self._budget.clock() - self._began + self._before

    @property
    def share(self) -> float:
        """Share of the budget's seconds that is used up; 0 without a limit."""
        if self._budget.seconds is None:
            return 0.0
        return (self._budget.clock() - self._started) / max(self._budget.seconds, 1e-9)

    def left(self, best: Trial | None) -> float | None:
        """Return the seconds until only the best candidate's refit fits into the budget; None without a limit."""
        if self._budget.seconds is None:
            return None
        refit = 0.0 if best is None else REFIT * best.seconds / self._folds
        return self._started + self._budget.seconds - refit - self._budget.clock()

    def learn(self, done: Done) -> None:
        """Learn the pace of a family from a fit."""
        candidate = done.task.candidate
        self._work[candidate.family] += candidate.work * done.task.share
        self._worked[candidate.family] += done.seconds

    def fits(self, candidate: Candidate, best: Trial | None, *, part: float, slots: int) -> bool:
        """Tell whether a whole trial would end in time, by the mean pace of its family so far.

        Args:
            candidate: to be tried.
            best: so far, whose refit is kept back.
            part: of a fit that comes before the folds, to see whether it is worth them.
            slots: fits at once.
        """
        left = self.left(best)
        if left is None:
            return True
        work = self._work[candidate.family]
        pace = self._worked[candidate.family] / work if work else 0.0
        return left > 0 and pace * candidate.work * (self._folds + part) / slots <= left
