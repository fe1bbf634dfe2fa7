"""How far a search is, in the whole units of a progress bar."""

from collections.abc import Callable


class Meter:
    """Tells a progress bar in whole units how far a fraction is.

    Args:
        total: units of the bar.
        advance: the bar, told how many more units are done.
    """

    def __init__(self, total: int, advance: Callable[[int], None]) -> None:
        self._total, self._advance, self._told = total, advance, 0

    def to(self, fraction: float) -> None:
        """Advance to a share of the whole, never back."""
        now = min(self._total, int(fraction * self._total + 1e-9))
        if now > self._told:
            self._advance(now - self._told)
            self._told = now
