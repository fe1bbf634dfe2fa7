"""Bounds of rounded values, as bounds of what they are rounded from: comparing needs no rounding of every row."""

import math

import numpy as np

from ebb.features.values import FLOAT32_MAX

_MICROS = 1e6
_BEYOND = 2.0**128
"""What float32's next number after its largest would be."""


def last_micros(most: float) -> int:
    """Return the last whole microsecond of which the seconds, as a float64, are not above `most`."""
    micros = math.floor(most * _MICROS)
    while (micros + 1) / _MICROS <= most:
        micros += 1
    while micros / _MICROS > most:
        micros -= 1
    return micros


def least_reaching(edge: float) -> float:
    """Return the smallest float64 that is at or above an edge when it is rounded to float32 (nearest, ties to even).

    What rounds beyond float32 stays what it is, and so does an edge that lies there.
    """
    if not abs(edge) <= FLOAT32_MAX:
        return edge
    narrow = np.float32(edge)
    if float(narrow) < edge:
        narrow = np.nextafter(narrow, np.float32(math.inf))
    with np.errstate(over="ignore"):
        below = max(float(np.nextafter(narrow, np.float32(-math.inf))), -_BEYOND)
        middle = (float(narrow) + below) / 2
        return middle if np.float32(middle) == narrow else float(np.nextafter(middle, float(narrow)))
