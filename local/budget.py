"""The options of a budget, as the search takes it."""

import time
from typing import TYPE_CHECKING

import psutil

from ebb.errors import Misuse

if TYPE_CHECKING:
    from training.search import Budget

DEFAULT_PRICE = 0.23
"""Dollars an hour of a SageMaker ml.m5.xlarge in us-east-1: AWS's list price as of 2026-11, to be checked."""
_HOUR = 3600.0


def read_budget(
    seconds: float | None,
    dollars: float | None,
    price: float,
    *,
    trials: int | None,
    workers: int | None,
    families: str,
) -> "Budget":
    """Make a budget whose clock began with this process.

    Args:
        seconds: from the beginning of the process; None is no limit.
        dollars: the same in money; the smaller of both counts.
        price: dollars an hour.
        trials: candidates to try at most.
        workers: fits at once; None takes all cores.
        families: names by commas.

    Raises:
        Misuse: a family is unknown or not installed, or the price is not above 0.
    """
    from training.search import Budget  # noqa: PLC0415 - takes seconds, and --help should not
    from training.search.budget import read_families  # noqa: PLC0415 - as above

    if dollars is not None:
        if not price > 0:
            raise Misuse(f"--price {price}: must be above 0 dollars an hour")
        bought = dollars / price * _HOUR
        seconds = bought if seconds is None else min(seconds, bought)
    return Budget(seconds, trials, _began(), workers, read_families(families))


def _began() -> float:
    """Return when this process began, by the monotonic clock: importing the libraries is part of the budget."""
    created: float = psutil.Process().create_time()
    return time.monotonic() - max(0.0, time.time() - created)
