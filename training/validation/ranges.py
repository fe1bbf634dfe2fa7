"""The bounds of a range as they hold for values that are rounded to float32."""

import math

import numpy as np

from ebb.features.values import FLOAT32_MAX, rounded


def float32_range(minimum: float | None, maximum: float | None) -> tuple[float, float]:
    """Return the smallest and largest float64 that the contract's range accepts.

    A bound holds after rounding too (see `ebb.features.values`), so a value that rounds onto its bound is inside;
    an open side ends where float32 does.
    """
    least = -FLOAT32_MAX if minimum is None else min(minimum, _edge(rounded(minimum), -math.inf))
    most = FLOAT32_MAX if maximum is None else max(maximum, _edge(rounded(maximum), math.inf))
    return max(least, -FLOAT32_MAX), min(most, FLOAT32_MAX)


def shown_bound(bound: float | None) -> float | None:
    """Return a bound as the contract may have written it: None where the side is open.

    It is the shortest number that rounds to the same float32.
    """
    if bound is None or abs(bound) >= FLOAT32_MAX:
        return None
    return float(str(rounded(bound))) + 0.0  # no negative zero


def _edge(bound: np.float32, side: float) -> float:
    """Return the last float64 towards `side` that rounds to `bound` (nearest, ties to even)."""
    with np.errstate(over="ignore"):
        beyond = float(np.nextafter(bound, np.float32(side)))
    if math.isinf(beyond):
        return float(bound)
    middle = (float(bound) + beyond) / 2
    return middle if np.float32(middle) == bound else float(np.nextafter(middle, float(bound)))
