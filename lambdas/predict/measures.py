"""What time and memory cost."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """What one millisecond of this function costs.

    Attributes:
        gigabytes: the function's memory.
        gigabyte_second: dollars.
    """

    gigabytes: float
    gigabyte_second: float

    def of(self, milliseconds: float) -> float:
        """Return dollars."""
        return milliseconds / 1000 * self.gigabytes * self.gigabyte_second


@dataclass(frozen=True)
class Clocks:
    """What tells the time.

    Attributes:
        wall: epoch seconds.
        timer: seconds since any moment.
    """

    wall: Callable[[], float]
    timer: Callable[[], float]
