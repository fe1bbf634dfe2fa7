"""Twenty hot swaps under load: requests that failed, how late the others were, and what freezing costs."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.home import Home
from tests.load.figures import Figure
from tests.load.paced import Sent
from tests.load.swap_case import SwapCase, paced, swap_case

SWAPS, VARIANTS, ENVIRONMENTS = 20, 4, 2
REQUESTS = 20_000
RATE, CONNECTIONS = 300.0, 8
_BEFORE = 0.4
"""Share of the requests that come before the first swap."""
_WARM_SECONDS = 2.0
LATER = 2.0
"""How many times later than before the 99th percentile may be."""
_BITE_MS = 2.0
"""A swap is over when the last answer of the old release is there, and no sooner than this after the change."""


@dataclass(frozen=True)
class Swapped:
    """What a load with swaps in it saw.

    Attributes:
        sent: every request.
        warm, first, last: monotonic seconds when measuring began, and of the first and after the last swap.
        changes: when each change was asked for, and which release it made the champion.
    """

    sent: Sent
    warm: float
    first: float
    last: float
    changes: Sequence[tuple[float, str]]


def swap_figures(prepared: Home, folder: Path, requests: int = REQUESTS) -> Iterator[Figure]:
    """Swap under load, with environments that run on between requests and with such as are frozen.

    Args:
        prepared: a home with customers and a release of the synthetic contract.
        folder: empty.
        requests: of each of the two.
    """
    before = {}
    for freeze in (False, True):
        what = "frozen" if freeze else "running"
        with swap_case(prepared, folder / what, variants=VARIANTS, environments=ENVIRONMENTS, freeze=freeze) as case:
            swapped = _swap_under_load(case, requests)
        found = figures_of(swapped, f"environments {what} between requests")
        before[what] = found[1].measured
        yield from found
    how = "p50 before the swaps, frozen less running: SIGSTOP and SIGCONT for each request, and waking up"
    yield Figure("what freezing adds to a request", "ms", before["frozen"] - before["running"], None, how)


def _swap_under_load(case: SwapCase, requests: int) -> Swapped:
    changes = []
    with paced(case, RATE, CONNECTIONS) as sent:
        time.sleep(_WARM_SECONDS)
        warm = time.monotonic()
        time.sleep(requests * _BEFORE / RATE)
        first = time.monotonic()
        pause = requests * (1 - _BEFORE) / RATE / SWAPS
        for number in range(SWAPS):
            version = case.versions[(number + 1) % len(case.versions)]
            changes.append((time.monotonic(), version))
            case.promote(version)
            time.sleep(max(0.0, first + (number + 1) * pause - time.monotonic()))
        last = time.monotonic()
    return Swapped(sent, warm, first, last, changes)


def figures_of(swapped: Swapped, where: str) -> list[Figure]:
    """Return what is promised of one load with swaps, and what is printed beside it."""
    sent = swapped.sent
    began, took = np.array(sent.began), np.array(sent.took) * 1e3
    before = took[(began >= swapped.warm) & (began < swapped.first)]
    swapping = took[(began >= swapped.first) & (began < swapped.last)]
    beside = took[_beside(swapped)]
    failed = sum(not release for release in sent.releases)
    if failed:
        where = f"{where}; the first failed with {sent.complaint[:200]!r}"
    total = f"{len(took):,} requests, {RATE:g} a second, {len(swapped.changes)} swaps, {where}"
    usual = _at(before, 99)
    seen = sum(version in sent.releases for version in {version for _, version in swapped.changes})
    return [
        Figure(f"requests failed, {where}", "", failed, 0, total),
        Figure(f"p50 before swaps, {where}", "ms", _at(before, 50), None, f"{len(before):,} requests"),
        Figure(f"p99 before swaps, {where}", "ms", usual, None, f"{len(before):,} requests"),
        Figure(f"p99 while swapping, {where}", "ms", _at(swapping, 99), None, f"{len(swapping):,} requests"),
        Figure(f"p99 beside a load, {where}", "ms", _at(beside, 99), None, f"{len(beside):,} requests"),
        Figure(f"p99 while swapping over p99 before, {where}", "", _at(swapping, 99) / usual, LATER, total),
        Figure(f"p99 beside a load over p99 before, {where}", "", _at(beside, 99) / usual, None, total),
        Figure(f"seconds until a new champion answers alone, {where}", "s", _slowest(swapped), None, "the slowest"),
        Figure(f"releases that answered, {where}", "", seen, min(VARIANTS, SWAPS), total, at_least=True),
    ]


def _ends(swapped: Swapped) -> list[float]:
    """Return when each change was in force everywhere: after the last answer of another release."""
    began = np.array(swapped.sent.began)
    ended = began + np.array(swapped.sent.took)
    releases = np.array(swapped.sent.releases)
    ends = []
    for number, (moment, version) in enumerate(swapped.changes):
        next_moment = swapped.changes[number + 1][0] if number + 1 < len(swapped.changes) else swapped.last
        others = ended[(began >= moment) & (ended < next_moment) & (releases != version)]
        ends.append(float(others.max(initial=moment + _BITE_MS / 1e3)))
    return ends


def _beside(swapped: Swapped) -> NDArray[np.bool_]:
    """Return which requests were under way while some environment had not taken the change up."""
    began = np.array(swapped.sent.began)
    ended = began + np.array(swapped.sent.took)
    beside = np.zeros(len(began), bool)
    for (moment, _), end in zip(swapped.changes, _ends(swapped), strict=True):
        beside |= (began <= end) & (ended >= moment)
    return beside


def _slowest(swapped: Swapped) -> float:
    return max(end - moment for (moment, _), end in zip(swapped.changes, _ends(swapped), strict=True))


def _at(took: NDArray[np.float64], percentile: float) -> float:
    return float(np.percentile(took, percentile)) if len(took) else float("inf")
