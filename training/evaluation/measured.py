"""A figure with what it would be on other rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """Where a figure lies on other rows of the same kind, 19 times of 20."""

    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """A figure and its interval; `low` and `high` are None where there are too few entities to tell."""

    value: float
    low: float | None
    high: float | None
