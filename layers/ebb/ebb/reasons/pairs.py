"""Half of the coalitions that a regression is fitted to; the other half are their complements.

Equally many of every size (leverage scores: Musco and Witter, "Provably Accurate Shapley Value Estimation via
Leverage Score Sampling", 2025), the sizes of few coalitions whole. Where there are more than can be taken, each is
the one of a few random candidates that goes least often with the same features as those before it.
"""

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ebb.reasons.words import words

_CANDIDATES = 16
_WIDE = 64
"""Features beyond which weighing candidates would take seconds."""


def draw_pairs(n: int, pairs: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Draw about so many coalitions, at most half of the features in each.

    Args:
        n: how many features, at least 2.
        pairs: at least n; the coalitions of one feature are always among them.

    Returns:
        The coalitions [h, n] and the weight of each with its complement [h].
    """
    drawn: list[NDArray[np.bool_]] = []
    weights: list[NDArray[np.float64]] = []
    sizes = range(1, n // 2 + 1)
    for size in sizes:
        share = (pairs - sum(len(of) for of in drawn)) // (len(sizes) - len(drawn))
        of_size = _all(n, size) if size == 1 or _count(n, size) <= share else _some(n, size, share)
        kernel = (n - 1) / (size * (n - size)) * (1 if 2 * size == n else 2)
        drawn.append(of_size)
        weights.append(np.full(len(of_size), kernel / max(1, len(of_size))))
    return np.concatenate(drawn), np.concatenate(weights)


def _count(n: int, size: int) -> int:
    """Count the pairs of a coalition of this size and its complement."""
    return comb(n, size) // (2 if 2 * size == n else 1)


def _all(n: int, size: int) -> NDArray[np.bool_]:
    chosen = [c for c in combinations(range(n), size) if 2 * size < n or c[0] == 0]
    coalitions = np.zeros((len(chosen), n), bool)
    np.put_along_axis(coalitions, np.array(chosen), values=True, axis=1)
    return coalitions


def _some(n: int, size: int, count: int) -> NDArray[np.bool_]:
    together = np.zeros((n, n))
    taken: dict[bytes, NDArray[np.bool_]] = {}
    for candidates in _candidates(n, size, count):
        fresh = candidates[[c.tobytes() not in taken for c in candidates]]
        if not len(fresh):
            continue
        signs = np.where(fresh, 1.0, -1.0)
        best = int(np.einsum("cj,cj->c", signs @ together, signs).argmin()) if len(fresh) > 1 else 0
        together += np.outer(signs[best], signs[best])
        taken[fresh[best].tobytes()] = fresh[best]
    return np.array(list(taken.values()), bool).reshape(-1, n)


def _candidates(n: int, size: int, count: int) -> Iterator[NDArray[np.bool_]]:
    """Give random coalitions of this size, a few at a time [candidates, n]."""
    few = _CANDIDATES if n <= _WIDE else 1
    keys = words(f"{n}:{size}".encode(), count * few * n).reshape(count, few, n)
    coalitions = keys.argsort(axis=2, kind="stable").argsort(axis=2, kind="stable") < size
    if 2 * size == n:
        coalitions ^= ~coalitions[:, :, :1]  # of the two that make a pair, the one with the first feature
    yield from coalitions
