"""Reason codes: Shapley values of the served graph against the reference row, by sampled permutations.

A permutation adds the entity's values to the reference row one by one and credits each feature with the change it
makes; every order is used together with its reverse, which cancels much of the sampling noise (Mitchell et al.,
"Sampling Permutations for Shapley Value Estimation", JMLR 23, 2022). Features equal to the reference get exactly 0
and are left out. The contributions add up to the difference of the two scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.features.inputs import encode
from ebb.ports import Scorer

PAIRS = 16
"""Permutations sampled, each with its reverse."""


@dataclass(frozen=True)
class Reason:
    """One feature's signed share of the difference to the reference score.

    Attributes:
        feature: its name.
        contribution: in probability; positive raises the score.
    """

    feature: str
    contribution: float


def reason_codes(
    contract: Contract,
    scorer: Scorer,
    row: Mapping[str, float | str],
    reference: Mapping[str, float | str],
    seed: str,
) -> tuple[Reason, ...]:
    """Explain one score, the largest contribution first.

    Args:
        contract: the release's.
        scorer: the release's graph.
        row: the accepted values that were scored.
        reference: the accepted values of the reference row.
        seed: names the release, so that the same case with the same release gives the same reasons.
    """
    differing = [name for name in contract.by_name if not _same(row[name], reference[name])]
    if not differing:
        return ()
    orders = _orders(len(differing), f"{seed}:{sorted(row.items())}")
    path = [reference, *_walks(differing, orders, row, reference)]
    scores = scorer.score(encode(contract, path)).astype(np.float64)
    shares = _credit(orders, scores[0], scores[1:].reshape(orders.shape))
    ranked = sorted(zip(differing, shares.tolist(), strict=True), key=lambda pair: (-abs(pair[1]), pair[0]))
    return tuple(Reason(name, contribution) for name, contribution in ranked)


def _same(a: float | str, b: float | str) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return bool(np.float32(a) == np.float32(b)) or (a != a and b != b)  # noqa: PLR0124 - NaN differs from itself


def _orders(count: int, seed: str) -> NDArray[np.intp]:
    """Return every order where they are few, else sampled ones with their reverses; [orders, count]."""
    if factorial(min(count, 10)) <= 2 * PAIRS:
        return np.array(list(permutations(range(count))), np.intp)
    generator = np.random.default_rng(int.from_bytes(sha256(seed.encode()).digest()[:8]))
    sampled = np.array([generator.permutation(count) for _ in range(PAIRS)])
    return np.concatenate([sampled, sampled[:, ::-1]])


def _walks(
    names: Sequence[str],
    orders: NDArray[np.intp],
    row: Mapping[str, float | str],
    reference: Mapping[str, float | str],
) -> list[dict[str, float | str]]:
    rows = []
    for order in orders:
        current = dict(reference)
        for position in order:
            name = names[position]
            current = {**current, name: row[name]}
            rows.append(current)
    return rows


def _credit(orders: NDArray[np.intp], start: float, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average each feature's change over all orders; scores [orders, count] follow each order's walk."""
    steps = np.diff(scores, axis=1, prepend=start)
    totals = np.zeros(orders.shape[1])
    np.add.at(totals, orders.ravel(), steps.ravel())
    return totals / len(orders)
