"""The months of the world of events: when they start, what each season does, and at which hours things happen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_MONTH = np.datetime64("2023-01", "M")
DRAWS = 65_536
"""Outcomes of one 16-bit draw; every table of quantiles has as many entries."""
_HOUR = 3_600_000_000
DAY = 24 * _HOUR
"""In microseconds."""
# Shares of the day by hour: quiet nights, a first peak at noon, the highest at nine in the evening.
_HOURS = np.array([14, 8, 5, 4, 4, 8, 20, 38, 50, 52, 54, 60, 68, 62, 56, 54, 58, 66, 76, 86, 92, 94, 70, 36], float)
# Monday to Sunday.
_WEEKDAYS = np.array([0.95, 0.95, 0.97, 1.0, 1.08, 1.12, 1.02])
_USE_PEAK, _LEAVING_PEAK = 11.0, 0.0
"""Months of the year (0 is January) with most use and with most leaving."""


@dataclass(frozen=True)
class Month:
    """One calendar month.

    Attributes:
        index: 0 for the first of the world.
        start: microseconds since 1970, UTC.
        days: how many it has.
        use_season: factor of use.
        leaving_season: added to the logarithm of the hazard.
        hours: start of the hour, in microseconds from `start`, by a 16-bit draw, int64 [DRAWS].
    """

    index: int
    start: int
    days: int
    use_season: float
    leaving_season: float
    hours: NDArray[np.int64]

    @property
    def end(self) -> int:
        """Microseconds since 1970 at which the next month starts."""
        return self.start + self.days * DAY


def month(index: int) -> Month:
    """Return a month by its number from 0 on."""
    name = FIRST_MONTH + np.timedelta64(index, "M")
    start = int(name.astype("datetime64[us]").astype(np.int64))
    days = (int((name + np.timedelta64(1, "M")).astype("datetime64[us]").astype(np.int64)) - start) // DAY
    of_year = index % 12
    return Month(
        index,
        start,
        days,
        use_season=float(1.0 + 0.18 * np.cos(2 * np.pi * (of_year - _USE_PEAK) / 12)),
        leaving_season=float(0.25 * np.cos(2 * np.pi * (of_year - _LEAVING_PEAK) / 12)),
        hours=_hours(start // DAY, days),
    )


def moment(index: int) -> np.datetime64:
    """Return when a month starts."""
    return np.datetime64(FIRST_MONTH + np.timedelta64(index, "M"), "us")


def _hours(first_day: int, days: int) -> NDArray[np.int64]:
    """Return the quantiles of the hour in which something happens; 1970-01-01 was a Thursday."""
    weekday = (first_day + np.arange(days) + 3) % 7
    share = (_WEEKDAYS[weekday][:, None] * _HOURS[None, :]).ravel()
    reached = np.cumsum(share / share.sum())
    slots = np.searchsorted(reached, (np.arange(DRAWS) + 0.5) / DRAWS).clip(0, len(share) - 1)
    return slots.astype(np.int64) * _HOUR
