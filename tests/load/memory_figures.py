"""Memory of one environment: over many swaps, and with more and more releases in its routing table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import theilslopes

from ebb.errors import Unavailable
from tests.home import Home
from tests.load.asked import ask
from tests.load.figures import Figure
from tests.load.swap_case import SwapCase, swap_case

SWAPS, VARIANTS = 20, 4
RELEASES = (1, 5, 20)
GROWTH_MB, FIVE_MB = 15.0, 130.0
FLAT_MB = 1.0
"""What may lie between the first and the last of ten swaps, on their median slope."""
_LAST = 10
_WARM, _BETWEEN = 1_000, 60
"""Requests before the first figure, and at least so many after each change."""
_PATIENCE = 250
"""So many times as many until a change must have been taken up."""


@dataclass(frozen=True)
class Held:
    """What one environment held, MB of 1024 kB.

    Attributes:
        first: once it was loaded and warm.
        swaps: after each swap.
    """

    first: float
    swaps: Sequence[float]


def memory_figures(prepared: Home, folder: Path) -> Iterator[Figure]:
    """Measure environments of their own: one over swaps, and one for each number of releases.

    Args:
        prepared: a home with customers and a release of the synthetic contract.
        folder: empty.
    """
    with swap_case(prepared, folder / "swaps", variants=VARIANTS, environments=1, freeze=False) as case:
        yield from swaps_figures(_over_swaps(case))
    held = {}
    for count in RELEASES:
        with swap_case(prepared, folder / str(count), variants=count, environments=1, freeze=False) as case:
            held[count] = _with_challengers(case)
        target = FIVE_MB if count == 5 else None
        how = f"RSS after {_WARM:,} requests and more, champion and challengers all answering"
        yield Figure(f"memory of one environment, releases: {count}", "MB", held[count], target, how, tolerated=1.0)
    (less, few), (more, many) = min(held.items()), max(held.items())
    yield Figure("memory of one more release", "MB", (many - few) / (more - less), None, f"from {less} to {more}")


def swaps_figures(held: Held) -> list[Figure]:
    """Return what is promised of an environment's memory over swaps."""
    last = held.swaps[-_LAST:]
    slope = float(theilslopes(last).slope)  # the allocator gives a megabyte back late at times
    how = f"{len(held.swaps)} swaps, each loads a release; RSS {held.first:.1f} MB first, {held.swaps[-1]:.1f} MB last"
    most = max(held.swaps) - held.first
    flat = f"the median slope of the last {len(last)}; they lie within {max(last) - min(last):.1f} MB"
    return [
        Figure("memory after swaps above the first load", "MB", most, GROWTH_MB, how, tolerated=1.0),
        Figure("growth of memory over the last ten swaps", "MB", slope * len(last), FLAT_MB, flat, tolerated=1.0),
    ]


def _over_swaps(case: SwapCase) -> Held:
    ask(case, _WARM)
    (first,) = case.resident_mb()
    swaps = []
    for number in range(SWAPS):
        version = case.versions[(number + 1) % len(case.versions)]
        case.promote(version)
        _settle(case, {version})
        swaps += case.resident_mb()
    return Held(first, swaps)


def _with_challengers(case: SwapCase) -> float:
    if len(case.versions) > 1:
        case.challenge(case.versions[1:])
    _settle(case, set(case.versions), _WARM)
    (held,) = case.resident_mb()
    return held


def _settle(case: SwapCase, versions: set[str], requests: int = _BETWEEN) -> None:
    """Ask until exactly these releases answer."""
    for _ in range(_PATIENCE):
        if set(ask(case, requests)) == versions:
            return
    raise Unavailable(f"after {_PATIENCE * requests:,} requests, other releases answer than {sorted(versions)}")
