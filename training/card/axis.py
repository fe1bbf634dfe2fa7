"""The axes of a plot."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.card.wording import compact

TICKS = 4


def in_percent(share: float) -> str:
    """Return the text of a tick that is a share."""
    return f"{share:.0%}"


@dataclass(frozen=True)
class Axis:
    """One axis: its title, its span, and how its ticks are written."""

    title: str
    low: float
    high: float
    tick: Callable[[float], str] = compact

    def share(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the values lie between low (0) and high (1), [K]; NaN stays NaN."""
        span = self.high - self.low or 1.0
        inside: NDArray[np.float64] = (np.clip(values, self.low, self.low + span) - self.low) / span
        return np.clip(inside, 0, 1)


def shares(title: str) -> Axis:
    """Return an axis from 0 to 100 %."""
    return Axis(title, 0, 1, in_percent)


def round_axis(title: str, low: float, high: float) -> Axis:
    """Return an axis over at least low to high whose ticks are round numbers."""
    span = max(high - low, 1e-9) / TICKS
    power = 10.0 ** np.floor(np.log10(span))
    steps = [factor * power for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20)]
    fits = (step for step in steps if np.floor(low / step) * step + TICKS * step >= high)
    step = float(next(fits, steps[-1]))
    start = float(np.floor(low / step) * step)
    return Axis(title, start, start + TICKS * step)
