"""How much a search may use."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import monotonic

import psutil

from ebb.errors import Misuse
from training.fit.boosted import BOOSTED, LIGHTGBM
from training.fit.families import FAMILIES
from training.fit.logistic import LOGISTIC

PRICE_AN_HOUR = 0.23
"""Dollars of a SageMaker ml.m5.xlarge in us-east-1: AWS's list price as of 2026-11, to be checked before it is used."""
_HOUR = 3600.0


@dataclass(frozen=True)
class Budget:
    """What ends a search; with neither seconds nor trials only the shipped candidates are tried.

    Attributes:
        seconds: from `started` to the end of search *and* refit; None is no limit. The first candidate always
            finishes; see `training.search.plan` for large tables.
        trials: how many candidates are begun at most; None is no limit.
        started: when the clock began, in `clock`'s seconds.
        workers: fits at once; None takes all cores.
        families: that may be tried.
        clock: seconds, monotonic.
    """

    seconds: float | None = None
    trials: int | None = None
    started: float | None = None
    workers: int | None = None
    families: tuple[str, ...] = (BOOSTED, LOGISTIC)
    clock: Callable[[], float] = monotonic

    @property
    def open_ended(self) -> bool:
        """Whether more than the shipped candidates may be tried."""
        return self.seconds is not None or self.trials is not None


def read_families(text: str) -> tuple[str, ...]:
    """Read names of families, by commas.

    Raises:
        Misuse: one is unknown, or needs a library that is not installed.
    """
    families = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in families:
        if name not in FAMILIES:
            raise Misuse(f"there is no family {name!r}: choose from {', '.join(FAMILIES)}")
    if not families:
        raise Misuse(f"no family was named: choose from {', '.join(FAMILIES)}")
    if LIGHTGBM in families and find_spec("lightgbm") is None:
        raise Misuse("the family lightgbm needs the package lightgbm, which is not installed: pip install lightgbm")
    return families


def read_budget(
    seconds: float | None,
    dollars: float | None,
    price: float,
    *,
    trials: int | None,
    workers: int | None,
    families: str,
) -> Budget:
    """Make a budget whose clock began with this process.

    Args:
        seconds: from the beginning of the process; None is no limit.
        dollars: the same in money; the smaller of both counts.
        price: dollars an hour.
        trials: candidates to try at most.
        workers: fits at once; None takes all cores.
        families: names by commas.

    Raises:
        Misuse: a family is unknown or not installed, the price is not above 0, or a figure is none.
    """
    for option, figure in (("--seconds", seconds), ("--dollars", dollars), ("--price", price)):
        if figure is not None and not math.isfinite(figure):
            raise Misuse(
                f"{option} {figure}: must be a finite number; without --seconds and --dollars there is no limit"
            )
    if not price > 0:
        raise Misuse(f"--price {price:g}: must be above 0 dollars an hour")
    if dollars is not None:
        bought = dollars / price * _HOUR
        seconds = bought if seconds is None else min(seconds, bought)
    return Budget(seconds, trials, _began(), workers, read_families(families))


def _began() -> float:
    """Return when this process began, by the monotonic clock: importing the libraries is part of the budget."""
    created: float = psutil.Process().create_time()
    return monotonic() - max(0.0, time.time() - created)
