"""Trees walked without a branch, compiled: each condition of a tree clears the leaves that it rules out.

Of a row's leaves the leftmost one that is left is the one that a walk from the root would reach: Lucchese et al.,
"QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of Regression Trees", SIGIR 2015. Rows are
taken many at a time, so that one instruction compares eight of them or more. Sums are made in double precision and in
the trees' order, as ONNX Runtime makes them, so that the results have the same bits.
"""

from typing import Any

import numba
import numpy as np
from numba.cpython.unsafe import numbers
from numpy.typing import NDArray

trailing_zeros: Any = numbers.trailing_zeros

_ROWS = 64
"""Rows taken at once: with 64 columns they fill half of a first-level cache."""


def _raw(  # noqa: PLR0917 - compiled functions take no names
    columns: NDArray[np.float32],
    sources: NDArray[np.int32],
    thresholds: NDArray[np.float32],
    masks: NDArray[Any],
    splits: NDArray[np.int32],
    leaves: NDArray[np.float64],
    firsts: NDArray[np.int32],
    base: float,
    out: NDArray[np.float32],
) -> None:
    """Fill `out` [N] with the log-odds of N rows; the arrays are those of `training.batch.forest.Forest`."""
    rows, width = columns.shape
    every = ~masks.dtype.type(0)
    seen = np.zeros((2 * width, _ROWS), np.float32)
    left = np.empty(_ROWS, masks.dtype)
    sums = np.empty(_ROWS, np.float64)
    for start in range(0, rows, _ROWS):
        held = min(_ROWS, rows - start)
        for i in range(held):
            for j in range(width):
                value = columns[start + i, j]
                seen[j, i] = value
                seen[width + j, i] = -np.inf if value != value else value  # noqa: PLR0124 - NaN alone differs
        sums[:] = 0.0
        for tree in range(len(firsts)):
            left[:] = every
            for split in range(splits[tree], splits[tree + 1]):
                source, threshold, mask = seen[sources[split]], thresholds[split], masks[split]
                for i in range(_ROWS):
                    left[i] &= every if source[i] <= threshold else mask
            first = firsts[tree]
            for i in range(_ROWS):
                sums[i] += leaves[first + np.int64(trailing_zeros(left[i]))]
        for i in range(held):
            out[start + i] = np.float32(sums[i] + base)


raw: Any = numba.njit(nogil=True)(_raw)
"""`_raw`, compiled when it is called first: a second, for each width of masks."""
