"""The other way that was measured: Shapley values by antithetic permutations; see docs/adr/0011-reason-codes.md."""

from collections.abc import Mapping

import numpy as np

from ebb.features.inputs import encode
from ebb.reasons import Explainer, Reason
from ebb.reasons.design import EXACT
from ebb.reasons.explainer import _case
from ebb.reasons.words import words


class PermutationExplainer(Explainer):
    """Adds the entity's values to the reference one by one, in orders that each have their reverse.

    (Mitchell et al., "Sampling Permutations for Shapley Value Estimation", JMLR 23, 2022.) Few features are
    enumerated, as they are by the regression.
    """

    rows = 194
    """Of the graph at most: what the regression takes."""

    def explain(self, row: Mapping[str, float | str], seed: str) -> tuple[Reason, ...]:
        """Explain one score, the largest contribution first."""
        own = encode(self._contract, [row])
        columns = self._differing(own)
        n = len(columns)
        if n <= EXACT:
            return super().explain(row, seed)
        pairs = max(1, (self.rows - 2) // (2 * (n - 1)))
        drawn = words(_case(own, seed), pairs * n).reshape(pairs, n).argsort(axis=1, kind="stable")
        orders = np.concatenate([drawn, drawn[:, ::-1]])
        # Where each feature stands in an order; a step's coalition holds those that stand before its end.
        places = orders.argsort(axis=1)
        steps = places[:, None, :] < np.arange(1, n)[None, :, None]
        ends = np.array([[False] * n, [True] * n])
        scores = self._scorer.score(self._mixed(own, columns, np.concatenate([ends, steps.reshape(-1, n)])))
        path = scores[2:].astype(np.float64).reshape(len(orders), n - 1)
        gains = np.diff(path, axis=1, prepend=float(scores[0]), append=float(scores[1]))
        shares = np.take_along_axis(gains, places, axis=1).mean(axis=0)
        named = [(*self._named[column], share) for column, share in zip(columns, shares.tolist(), strict=True)]
        found = [Reason(name, share, text) for name, text, share in named]
        return tuple(sorted(found, key=lambda reason: (-abs(reason.contribution), reason.feature)))
