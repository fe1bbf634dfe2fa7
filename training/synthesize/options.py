"""What a world of events is made from: how many customers, how many months, which seed, and what drifts."""

import re
from dataclasses import dataclass

from ebb.errors import Misuse

MOST_CUSTOMERS, MOST_MONTHS, MOST_WORKERS = 99_999_999, 120, 64
LEAST_MONTHS = 3
LEAST_BYTES, MOST_BYTES = 1_000_000, 10**13
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_DRIFT = re.compile(r"(\d+)(?::(\d+(?:\.\d+)?))?")
_STRONGEST = 5.0


@dataclass(frozen=True)
class Drift:
    """A change of why customers leave.

    Attributes:
        month: the first that is changed, counted from 1.
        strength: 0 changes nothing, 1 is the change that the documentation states.
    """

    month: int
    strength: float = 1.0


@dataclass(frozen=True)
class Options:
    """What decides every byte of a world.

    Attributes:
        customers: how many ever live in it.
        months: how many calendar months it lasts.
        seed: 0 or more.
        drift: None where the same reasons hold all the time.

    Raises:
        Misuse: one of them is out of range.
    """

    customers: int
    months: int
    seed: int
    drift: Drift | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.customers <= MOST_CUSTOMERS:
            raise Misuse(f"--customers {self.customers}: must be between 1 and {MOST_CUSTOMERS:,}")
        if not LEAST_MONTHS <= self.months <= MOST_MONTHS:
            raise Misuse(f"--months {self.months}: must be between {LEAST_MONTHS} and {MOST_MONTHS}")
        if self.seed < 0:
            raise Misuse(f"--seed {self.seed}: must be 0 or more")
        if self.drift is not None and not 1 < self.drift.month <= self.months:
            raise Misuse(f"--drift {self.drift.month}: must be a month from 2 to {self.months}, the last one")

    def drifted(self, month: int) -> float:
        """Return the strength of the drift in a month, which is counted from 0."""
        return self.drift.strength if self.drift is not None and month + 1 >= self.drift.month else 0.0


def parse_size(text: str) -> int:
    """Read a size such as `5GB`, in bytes; units are decimal.

    Raises:
        Misuse: it is none, or out of range.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise Misuse(f'--size {text!r}: must be a number of bytes with its unit, such as "500MB" or "5GB"')
    size = int(float(found[1]) * _UNITS[found[2].upper()])
    if not LEAST_BYTES <= size <= MOST_BYTES:
        raise Misuse(f"--size {text}: must be between 1MB and 10TB")
    return size


def parse_drift(text: str) -> Drift:
    """Read `MONTH` or `MONTH:STRENGTH`; months are counted from 1.

    Raises:
        Misuse: it is neither, or the strength is out of range.
    """
    found = _DRIFT.fullmatch(text.strip())
    if found is None:
        raise Misuse(f'--drift {text!r}: must be a month with or without a strength, such as "13" or "13:0.5"')
    strength = float(found[2]) if found[2] else 1.0
    if not 0 < strength <= _STRONGEST:
        raise Misuse(f"--drift {text}: the strength must be above 0 and at most {_STRONGEST:g}")
    return Drift(int(found[1]), strength)
