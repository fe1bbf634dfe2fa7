"""The bootstrap: what a figure would be on other rows of the same kind.

Whole entities are resampled, since the rows of one entity are no independent evidence (Field and Welsh,
"Bootstrapping clustered data", JRSS B 2007). Entities are first drawn into at most 500 blocks and blocks are
resampled, so that every resample is one row of a matrix product over sums by block and a million rows cost little;
500 blocks blur the width of an interval by about 3 %.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.measured import Interval, Measured

RESAMPLES = 200
_MOST_BLOCKS = 500
_FEWEST_ENTITIES = 10
_TAILS = [0.025, 0.975]


class Resampler:
    """Resampled sums over N rows.

    Args:
        rows: N.
        groups: number of each row's entity, [N]; None where every row is an entity of its own.
        seed: of blocks and resamples: the same one gives the same intervals.
    """

    def __init__(self, rows: int, groups: NDArray[np.intp] | None = None, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        _, entity = np.unique(groups, return_inverse=True) if groups is not None else (None, np.arange(rows))
        self.entities = int(np.max(entity)) + 1 if rows else 0
        self.blocks = max(1, min(self.entities, _MOST_BLOCKS))
        self.known = self.entities >= _FEWEST_ENTITIES
        # entities dealt out in random order, so that blocks have almost equally many
        self.block_of: NDArray[np.intp] = rng.permutation(max(self.entities, 1))[entity] % self.blocks
        share = np.full(self.blocks, 1 / self.blocks)
        self.weights = rng.multinomial(self.blocks, share, size=RESAMPLES).astype(np.float64)

    def by_block(self, codes: NDArray[Any], size: int, values: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Return the sum of `values` (of ones, where None) by block and code, [blocks, size].

        Args:
            codes: 0 to size - 1, [N]; rows with a negative code are left out.
            size: how many codes there are.
            values: [N].
        """
        cell = self.block_of * size + codes
        if codes.min(initial=0) < 0:
            inside = codes >= 0
            cell = cell[inside]
            values = None if values is None else values[inside]
        sums = np.bincount(cell, values, minlength=self.blocks * size).astype(np.float64)
        return sums.reshape(self.blocks, size)

    def cells(self, codes: NDArray[Any], size: int, values: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Return the sums of `by_block` in every resample, [resamples, size]."""
        sums: NDArray[np.float64] = self.weights @ self.by_block(codes, size, values)
        return sums

    def sums(self, *values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of each of the arrays [N] in every resample, [resamples, arrays]."""
        blocks = [np.bincount(self.block_of, value, minlength=self.blocks) for value in values]
        sums: NDArray[np.float64] = self.weights @ np.stack(blocks, axis=1)
        return sums

    def means(self, *values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean of each of the arrays [N] in every resample, [resamples, arrays]."""
        sums = self.sums(np.ones(len(self.block_of)), *values)
        means: NDArray[np.float64] = sums[:, 1:] / sums[:, :1]
        return means

    def band(
        self, points: NDArray[Any], samples: NDArray[np.float64], low: float = -np.inf, high: float = np.inf
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return lower and upper ends [K] of the intervals of `points` [K]; empty where there are too few entities.

        Each interval is the spread of the resamples around their own mean, laid around the point: what binning or
        resampling adds to every resample (a calibration error is never negative) does not shift it.

        Args:
            points: [K].
            samples: [resamples, K]; NaN where a resample could not tell.
            low: least that the figure can be.
            high: most that it can be.
        """
        if not self.known:
            return np.empty(0), np.empty(0)
        kept = np.isfinite(samples)
        rows = np.maximum(kept.sum(axis=0), 1)
        centred = np.where(kept, samples - np.where(kept, samples, 0.0).sum(axis=0) / rows, 0.0)
        below, above = np.quantile(centred, _TAILS, axis=0)
        ends = np.clip(points + below, low, high), np.clip(points + above, low, high)
        return np.minimum(ends[0], points), np.maximum(ends[1], points)

    def measured(
        self, value: float, samples: NDArray[np.float64], low: float = -np.inf, high: float = np.inf
    ) -> Measured:
        """Return a figure with its interval, from its values in the resamples [resamples]."""
        below, above = self.band(np.array([value]), samples[:, None], low, high)
        return Measured(value, float(below[0]), float(above[0])) if len(below) else Measured(value, None, None)


def interval_of(figure: Measured) -> Interval | None:
    """Return a figure's interval; None where there is none."""
    return None if figure.low is None or figure.high is None else Interval(figure.low, figure.high)
