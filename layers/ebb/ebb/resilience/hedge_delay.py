"""How long to wait for a first answer before a second server is asked: the recent 95th percentile."""

from collections import deque

_RECENT, _EVERY, _PERCENTILE = 512, 64, 0.95


class HedgeDelay:
    """The 95th percentile of recent answers, within bounds (Dean and Barroso, "The Tail at Scale", CACM 2013).

    Args:
        floor, cap: seconds.
    """

    def __init__(self, floor: float = 0.002, cap: float = 0.008) -> None:
        self._floor, self._cap = floor, cap
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._noted = 0
        self.seconds = floor

    def note(self, seconds: float) -> None:
        """Remember how long one answer took; every 64th renews the delay."""
        self._recent.append(seconds)
        self._noted += 1
        if self._noted % _EVERY == 0:
            ordered = sorted(self._recent)
            self.seconds = min(self._cap, max(self._floor, ordered[int(len(ordered) * _PERCENTILE)]))
