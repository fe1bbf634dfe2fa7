"""How fast a route may be called: a token bucket, as API Gateway's route throttle."""

from dataclasses import dataclass

from ebb.errors import Misuse


@dataclass(frozen=True)
class Throttle:
    """A limit.

    Attributes:
        rate: requests a second that are let through for ever.
        burst: requests that are let through at once after a rest.
    """

    rate: float
    burst: int

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through.

        Raises:
            Misuse: the rate or the burst is too small.
        """
        if self.rate <= 0 or self.burst < 1:
            raise Misuse("a throttle needs a rate over 0 and a burst of at least 1")


class Bucket:
    """The tokens left of one throttle.

    Args:
        throttle: the limit.
        now: seconds on a clock that never goes back.
    """

    def __init__(self, throttle: Throttle, now: float) -> None:
        self.throttle = throttle
        self.tokens = float(throttle.burst)
        self.filled = now

    def take(self, now: float) -> bool:
        """Take a token; False when there is none."""
        self.tokens = min(self.throttle.burst, self.tokens + (now - self.filled) * self.throttle.rate)
        self.filled = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True
