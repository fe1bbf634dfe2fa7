"""Which coalitions are scored for n features, and how their scores become Shapley values.

Few features: every coalition, and the definition itself. More: the weighted least squares whose weights are the
Shapley kernel (Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017), every coalition
beside its complement, which takes the noise of interactions between two features away altogether (Covert and Lee,
"Improving KernelSHAP", 2021). The coalitions depend on n alone, so their least squares is solved once.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numpy.typing import NDArray

from ebb.reasons.pairs import draw_pairs

EXACT = 7
"""Features whose every coalition is scored: 2^7 rows."""
PAIRS = 96
"""Coalitions that are scored for more features, each with its complement, or two for each feature if that is more."""

_NARROW = 64
"""Features of which every design is kept; wider ones take megabytes."""


@dataclass(frozen=True)
class Design:
    """Coalitions of n features and the map from their scores to shares.

    Attributes:
        coalitions: which features each takes from the entity, bool [m, n]; neighbours are alike, which the graph's
            trees answer faster.
        matrix: turns scores [m] into shares [n].
        spread: covariance of the shares up to a factor, [n, n]; None where they are exact.
        bare, alone, without, whole: where the coalition of no feature stands, of each feature only [n], of all but
            each [n], of all.
    """

    coalitions: NDArray[np.bool_]
    matrix: NDArray[np.float64]
    spread: NDArray[np.float64] | None
    bare: int
    alone: NDArray[np.intp]
    without: NDArray[np.intp]
    whole: int

    def shares(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each feature's share, float64 [n], of scores [m]; they add up to whole minus bare.

        A feature that changes neither the reference nor the entity's row when it is swapped alone counts as one
        without effect: sampling would give it a share of the noise.
        """
        shares: NDArray[np.float64] = self.matrix @ scores
        if self.spread is None:
            return shares
        idle = (scores[self.alone] == scores[self.bare]) & (scores[self.without] == scores[self.whole])
        if not idle.any() or idle.all():
            return shares
        # The least squares under the condition that these are 0, from the one without it.
        among = self.spread[np.ix_(idle, idle)]
        shares -= self.spread[:, idle] @ np.linalg.solve(among, shares[idle])
        shares[idle] = 0.0
        return shares


def design(features: int) -> Design:
    """Return the design for so many features, at least 1."""
    return _kept(features) if features <= _NARROW else _kept_shortly(features)


@lru_cache(maxsize=_NARROW)
def _kept(features: int) -> Design:
    return _every(features) if features <= EXACT else _sampled(features)


@lru_cache(maxsize=2)
def _kept_shortly(features: int) -> Design:
    return _sampled(features)


def _every(n: int) -> Design:
    """Take all coalitions; a share is the feature's average effect over all orders (Shapley, 1953)."""
    coalitions = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    size = coalitions.sum(axis=1, keepdims=True)
    orders = np.array([1.0 / (n * comb(n - 1, others)) for others in range(n)])
    matrix = np.where(coalitions, orders[size - 1], -orders[np.minimum(size, n - 1)])
    return _laid_out(coalitions, matrix.T, None)


def _sampled(n: int) -> Design:
    """Fit shares to half the difference of each pair, under the condition that they add up to the whole's."""
    drawn, weights = draw_pairs(n, max(PAIRS, 2 * n))
    centred = drawn - 0.5
    # An orthonormal basis of the shares that add up to 0.
    basis = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0][:, 1:]
    seen = centred @ basis
    spread = basis @ np.linalg.inv(seen.T @ (weights[:, None] * seen)) @ basis.T
    fit = spread @ (weights[:, None] * centred).T
    even = (1.0 - fit @ centred.sum(axis=1)) / n
    coalitions = np.concatenate([np.zeros((1, n), bool), drawn, ~drawn, np.ones((1, n), bool)])
    return _laid_out(coalitions, np.column_stack([-even, fit / 2, -fit / 2, even]), spread)


def _laid_out(coalitions: NDArray[np.bool_], matrix: NDArray[np.float64], spread: NDArray[np.float64] | None) -> Design:
    order = np.lexsort(coalitions.T)
    coalitions, matrix = coalitions[order], np.ascontiguousarray(matrix[:, order])
    size, n = np.count_nonzero(coalitions, axis=1), coalitions.shape[1]
    single, lacking = np.flatnonzero(size == 1), np.flatnonzero(size == n - 1)
    alone = single[np.argsort(coalitions[single].argmax(axis=1))]
    without = lacking[np.argsort((~coalitions[lacking]).argmax(axis=1))]
    return Design(coalitions, matrix, spread, int(np.argmin(size)), alone, without, int(np.argmax(size)))
