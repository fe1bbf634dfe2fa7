"""How much is asked: predictions a second, one by one and in batches, and the share of the capacity that they use."""

from dataclasses import dataclass

from cdk.pricing.errors import PricingError

HOURS = 730
"""Of a month, as AWS reckons."""
SECONDS = HOURS * 3_600
ROWS = 1_000
"""Of a batch at most (the API's own limit)."""
_MOST, _LEAST_USED = 10_000_000, 0.01


@dataclass(frozen=True)
class Load:
    """What comes in, as means over the month.

    Attributes:
        rps: requests a second with one prediction each.
        utilisation: share of the held capacity that the mean uses; at 0.6, capacity for 25,000 is held for 15,000.
        batches: requests a second with `rows` predictions each.
        rows: of a batch.

    Raises:
        PricingError: no such load can be.
    """

    rps: float
    utilisation: float = 0.6
    batches: float = 0.0
    rows: int = ROWS

    def __post_init__(self) -> None:
        most = max(self.rps, self.batches)
        for wrong, why in (
            (not 0 <= min(self.rps, self.batches) <= most <= _MOST, f"requests a second must be from 0 to {_MOST:,}"),
            (not most > 0, "there must be requests: their price is asked for"),
            (not _LEAST_USED <= self.utilisation <= 1, "the utilisation is a share of the capacity, from 0.01 to 1"),
            (not 1 <= self.rows <= ROWS, f"a batch has 1 to {ROWS:,} rows"),
        ):
            if wrong:
                raise PricingError(why)

    @property
    def calls(self) -> float:
        """Requests a month."""
        return (self.rps + self.batches) * SECONDS

    @property
    def predictions(self) -> float:
        """Predictions a month: each row of a batch is one."""
        return (self.rps + self.batches * self.rows) * SECONDS
