"""Shapley values of the served graph against the reference row.

A coalition is a row that takes some features from the entity and the others from the reference. The graph scores a
fixed set of coalitions in one run, and a fixed matrix turns the scores into shares (see `ebb.reasons.design`); what
the case itself decides is which feature stands in which column of the design. Features equal to the reference get
exactly 0 and are left out. The shares add up to the difference of the two scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.features.inputs import Inputs, encode
from ebb.ports import Scorer
from ebb.reasons.design import design
from ebb.reasons.words import words

_DECIMALS = 10
"""What is told of a share: beyond them is the noise of sums, a thousandth of the graph's float32 precision."""


@dataclass(frozen=True)
class Reason:
    """One feature's signed share of the difference to the reference score.

    Attributes:
        feature: its name.
        contribution: in probability; positive raises the score.
        text: what the feature says of the entity, from the contract; holds no value.
    """

    feature: str
    contribution: float
    text: str


class Explainer:
    """Explains the scores of one release.

    Args:
        contract: the release's.
        scorer: the release's graph.
        reference: the accepted values of the reference row.
    """

    def __init__(self, contract: Contract, scorer: Scorer, reference: Mapping[str, float | str]) -> None:
        self._contract, self._scorer = contract, scorer
        self._reference = encode(contract, [reference])
        features = (*contract.numbers, *contract.categories)
        self._named = [(feature.name, feature.reason_text) for feature in features]

    def explain(self, row: Mapping[str, float | str], seed: str) -> tuple[Reason, ...]:
        """Explain one score, the largest contribution first.

        Args:
            row: the accepted values that were scored, in any order.
            seed: names the release, so that the same case with the same release gives the same reasons.
        """
        own = encode(self._contract, [row])
        differing = self._differing(own)
        if not len(differing):
            return ()
        columns = differing[np.argsort(words(_case(own, seed), len(differing)), kind="stable")]
        plan = design(len(columns))
        scores = self._scorer.score(self._mixed(own, columns, plan.coalitions)).astype(np.float64)
        shares = np.round(plan.shares(scores), _DECIMALS) + 0.0  # no share is a negative zero
        pairs = zip(columns.tolist(), shares.tolist(), strict=True)
        found = [(*self._named[column], share) for column, share in pairs]
        found.sort(key=lambda one: (-abs(one[2]), one[0]))
        return tuple(Reason(name, share, text) for name, text, share in found)

    def _differing(self, own: Inputs) -> NDArray[np.intp]:
        """Return the columns, numbers first, that differ from the reference; two missing numbers do not."""
        numbers, usual = own.numbers[0], self._reference.numbers[0]
        numbers_differ = (numbers != usual) & ~(np.isnan(numbers) & np.isnan(usual))
        categories_differ = (own.categories[0] != self._reference.categories[0]).astype(bool)
        return np.flatnonzero(np.concatenate([numbers_differ, categories_differ]))

    def _mixed(self, own: Inputs, columns: NDArray[np.intp], coalitions: NDArray[np.bool_]) -> Inputs:
        """Return one row a coalition: its columns from the entity, the others from the reference."""
        taken = np.zeros((len(coalitions), len(self._named)), bool)
        taken[:, columns] = coalitions
        split = self._reference.numbers.shape[1]
        numbers: NDArray[np.float32] = np.where(taken[:, :split], own.numbers, self._reference.numbers)
        categories: NDArray[Any] = np.where(taken[:, split:], own.categories, self._reference.categories)
        return Inputs(numbers, categories)


def reason_codes(
    contract: Contract,
    scorer: Scorer,
    row: Mapping[str, float | str],
    reference: Mapping[str, float | str],
    seed: str,
) -> tuple[Reason, ...]:
    """Explain one score; see `Explainer`, which serves many of one release for less."""
    return Explainer(contract, scorer, reference).explain(row, seed)


def _case(own: Inputs, seed: str) -> bytes:
    """Name the case by what the graph sees of it; adding 0 makes one zero of the two."""
    texts = "\0".join(own.categories[0])
    return b"\0".join([seed.encode(), (own.numbers + 0.0).tobytes(), texts.encode("utf-8", "surrogatepass")])
