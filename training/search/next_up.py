"""Which candidate comes next, and whether the budget allows it."""

import math
from typing import TYPE_CHECKING

from training.fit import Candidate
from training.search.budget import Budget
from training.search.found import STOPPED, Trial
from training.search.under_way import PART

if TYPE_CHECKING:
    from training.search.proposals import Proposals
    from training.search.time_left import TimeLeft
    from training.search.tried import Tried

PATIENCE = 60
"""Candidates in a row without a better one, after which the search ends before its budget."""
_FITTING = 30
"""Proposals in a row that would not end in time, after which no more are asked for."""


class NextUp:
    """Chooses candidates: the shipped ones first, then the sampler's.

    Args:
        proposals: what to try.
        tried: what was tried.
        time: that is left.
        budget: what ends the search.
        parts: whether a part of the rows comes before the folds.
        slots: fits at once.

    Attributes:
        begun: candidates begun so far, an interrupted search's among them.
        skipped: names of shipped candidates that would not have ended in time.
    """

    def __init__(
        self, proposals: "Proposals", tried: "Tried", time: "TimeLeft", budget: Budget, *, parts: bool, slots: int
    ) -> None:
        self._proposals, self._tried, self._time, self._budget = proposals, tried, time, budget
        self._part, self._slots = PART if parts else 0.0, slots
        self._names = {trial.candidate.name for trial in tried.trials}
        self._exhausted = False
        self.begun = len(tried.trials)
        self.skipped: list[str] = []

    def begin(self) -> tuple[int, Candidate] | None:
        """Begin the next candidate that would end in time; None where there is none."""
        if self._budget.trials is not None and self.begun >= max(1, self._budget.trials):
            return None
        begun = self._shipped() or self._proposed()
        self.begun += begun is not None
        return begun

    def _shipped(self) -> tuple[int, Candidate] | None:
        while (begun := self._proposals.shipped(self._names)) is not None:
            if self.begun == 0 or self._fits(begun[1]):
                return begun
            self.skipped.append(begun[1].name)
            self._forget(begun)
        return None

    def _proposed(self) -> tuple[int, Candidate] | None:
        for _ in range(_FITTING):
            if not self._budget.open_ended or self._exhausted or self._tried.useless >= PATIENCE:
                return None
            begun = self._proposals.propose()
            if self._fits(begun[1]):
                return begun
            self._forget(begun)
        self._exhausted = True
        return None

    def _fits(self, candidate: Candidate) -> bool:
        return self._time.fits(candidate, self._tried.best, part=self._part, slots=self._slots)

    def _forget(self, begun: tuple[int, Candidate]) -> None:
        self._proposals.end(Trial(begun[0], begun[1], STOPPED, math.nan, math.nan, 0.0, self._time.spent))
