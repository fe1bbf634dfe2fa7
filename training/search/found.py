"""What a search found."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.fit import Candidate
from training.folds import Folds

COMPLETE, PRUNED, STOPPED, FAILED = "complete", "pruned", "stopped", "failed"


@dataclass(frozen=True)
class Trial:
    """One candidate, tried.

    Attributes:
        number: in the order of the search.
        candidate: what was tried.
        state: `complete`; `pruned` where a part of the work already showed that it is not worth the rest; `stopped`
            by the end of the budget; `failed`.
        log_loss: of the calibrated out-of-fold probabilities, the lowest wins; of a part where it is not complete, and
            NaN where not even that is known.
        auc: of the same.
        seconds: of work, over all its fits.
        at: seconds since the search began, when it ended.
        why: of a failure.
        raw: out-of-fold log-odds [N], NaN in rows that are never held out; [0] where it was not kept: the best of each
            family keeps it.
    """

    number: int
    candidate: Candidate
    state: str
    log_loss: float
    auc: float
    seconds: float
    at: float
    why: str = ""
    raw: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)


@dataclass(frozen=True)
class CurvePoint:
    """How good the winner is with fewer rows, judged on one fold.

    Attributes:
        rows: it learned from.
        log_loss, auc: on the rows held out.
    """

    rows: int
    log_loss: float
    auc: float


@dataclass(frozen=True)
class Search:
    """What the search found.

    Attributes:
        best: the winning trial.
        trials: all that were begun, in their order.
        skipped: names of the shipped candidates that the budget was too short for.
        folds: which row judged when.
        curve: the winner's learning curve, from few rows to all of a fold's; empty where the budget was too short.
        seconds: from the beginning to the end.
        last_tenth: how much log loss the last tenth of those seconds saved; None without a budget.
        resumed: trials that an earlier, interrupted search had brought.
    """

    best: Trial
    trials: tuple[Trial, ...]
    skipped: tuple[str, ...]
    folds: Folds
    curve: tuple[CurvePoint, ...] = ()
    seconds: float = 0.0
    last_tenth: float | None = None
    resumed: int = 0

    @property
    def fold(self) -> NDArray[np.int8]:
        """The fold in which each row was held out, [N]; -1 for never."""
        return self.folds.fold

    @property
    def completed(self) -> tuple[Trial, ...]:
        """The trials that ran to their end."""
        return tuple(trial for trial in self.trials if trial.state == COMPLETE)

    def best_of(self, family: str) -> Trial | None:
        """Return the best complete trial of a family, with its log-odds; None where none was completed."""
        of_family = [trial for trial in self.completed if trial.candidate.family == family]
        return min(of_family, key=lambda trial: trial.log_loss, default=None)
