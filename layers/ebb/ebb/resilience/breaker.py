"""A circuit breaker: a server that does not answer is left alone for a while (Nygard, "Release It!", 2007)."""

import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

from ebb.ports import Signals

TIMEOUTS, WINDOW = 3, 20
"""Timeouts in a row that open a breaker; calls that it remembers."""


class State(IntEnum):
    """As stated in metrics."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """Opens after `TIMEOUTS` timeouts in a row, or when half of the last `WINDOW` calls failed.

    Open, it lets nothing through for `interval` seconds; then one call may try (half-open), and its outcome closes
    the breaker or opens it for another interval.

    Args:
        name: of the server, for metrics.
        signals: takes state and transitions.
        interval: seconds.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        signals: Signals,
        *,
        interval: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._signals, self._clock = name, signals, clock
        self._interval = interval
        self._failed: deque[bool] = deque(maxlen=WINDOW)
        self._failures = self._timeouts = 0
        self._state = State.CLOSED
        self._opened = 0.0

    @property
    def state(self) -> State:
        """The state as of the last call."""
        return self._state

    def allows(self) -> bool:
        """Tell whether the server may be asked now; the caller must then report `succeeded` or `failed`."""
        if self._state is State.CLOSED:
            return True
        if self._clock() - self._opened < self._interval:
            return False
        # One try an interval, also when its outcome is never reported.
        self._opened = self._clock()
        self._enter(State.HALF_OPEN)
        return True

    def succeeded(self) -> None:
        """Report that the server answered."""
        self._timeouts = 0
        if self._state is not State.CLOSED:
            self._failed.clear()
            self._failures = 0
            self._enter(State.CLOSED)
        elif self._failures:
            self._remember(failed=False)
        elif len(self._failed) < WINDOW:
            self._failed.append(False)

    def failed(self, *, timeout: bool) -> None:
        """Report that the server did not answer in time (`timeout`), or failed in another way."""
        self._timeouts = self._timeouts + 1 if timeout else 0
        self._remember(failed=True)
        full = len(self._failed) == WINDOW
        if (
            self._state is not State.CLOSED
            or self._timeouts >= TIMEOUTS
            or (full and 2 * self._failures >= len(self._failed))
        ):
            self._opened = self._clock()
            self._enter(State.OPEN)

    def _remember(self, *, failed: bool) -> None:
        if len(self._failed) == WINDOW:
            self._failures -= self._failed[0]
        self._failed.append(failed)
        self._failures += failed

    def _enter(self, state: State) -> None:
        if state is not self._state:
            self._state = state
            self._signals.count(f"breaker_{self._name}_{state.name.lower()}")
        self._signals.gauge(f"breaker_{self._name}", state)
