"""How long a fit of a fold takes, by the rows that it learns from: measured on a small share of them."""

import warnings
from dataclasses import dataclass

import numpy as np

from training.fit import Candidate
from training.search.curve import judging_fold
from training.search.task import Done, Material, Task, perform

_FIRST_ROWS, _MORE = 10_000, 4
_WORTH = 0.05
"""Share of the seconds that one more measurement may take."""
_BESIDE = 1.3
"""Times that a fit takes longer on millions of rows and beside others, which share caches and memory with it."""


@dataclass(frozen=True)
class Pace:
    """seconds = fixed + rows * each.

    Attributes:
        fixed: seconds of a fit, whatever the rows.
        each: seconds a row.
    """

    fixed: float
    each: float

    def seconds(self, rows: float) -> float:
        """Return the seconds of a fit that learns from so many rows and answers for those of a fold."""
        return self.fixed + self.each * rows

    def rows(self, seconds: float) -> float:
        """Return the rows that a fit of so many seconds learns from; 0 where it would take longer for none."""
        return max(0.0, seconds - self.fixed) / self.each


def measured(material: Material, candidate: Candidate, *, seconds: float) -> Pace | None:
    """Measure a candidate's pace in this process, on ever more rows as long as that costs little.

    Args:
        material: of the search.
        candidate: to be fitted.
        seconds: of which a few per cent may be used.

    Returns:
        None where the candidate cannot be fitted.
    """
    done = [_performed(material, candidate, rows := min(_FIRST_ROWS, len(material.labels)))]
    while done[-1].raw is not None and _MORE * done[-1].seconds <= _WORTH * seconds:
        rows *= _MORE
        if rows > len(material.labels):
            break
        done.append(_performed(material, candidate, rows))
    return None if done[-1].raw is None else _line(done)


def _line(done: list[Done]) -> Pace:
    """Return the line through the last two measurements; one alone is taken for proportional to its rows."""
    last = done[-1]
    each = last.seconds / last.rows
    if len(done) > 1:
        slope = (last.seconds - done[-2].seconds) / max(1, last.rows - done[-2].rows)
        each = min(each, max(slope, each / 2))  # a hiccup in either must not make rows cheap
    fixed = max(0.0, last.seconds - each * last.rows)
    return Pace(fixed, max(each, 1e-9) * _BESIDE)


def _performed(material: Material, candidate: Candidate, rows: int) -> Done:
    random = np.random.default_rng([material.seed, rows])
    drawn = np.sort(random.choice(len(material.labels), rows, replace=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of so few rows one may be the only of its kind
        return perform(material.rows(drawn), Task(0, candidate, judging_fold(material.folds)))
