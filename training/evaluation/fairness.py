"""Which groups of a protected feature would be acted on how often, found how often, and told the truth.

Demographic parity compares the shares acted on, equal opportunity those among positive rows (Hardt, Price and
Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016), calibration within groups the mean
probability with the share of positives. Unless answers or outcomes are trivial the three cannot all hold (Kleinberg,
Mullainathan and Raghavan, "Inherent trade-offs in the fair determination of risk scores", ITCS 2017), so a contract
says which of them it asks for.
"""

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import SMALLEST_GROUP, Contract
from training.evaluation.fair_groups import Fairness, Group, TooSmall
from training.evaluation.groups import Grouping, grouping
from training.evaluation.measured import Interval, Measured
from training.evaluation.resample import Resampler
from training.fit.coded import Coded

__all__ = ["SMALLEST_GROUP", "Answers", "fairness"]

_MOST_NAMED = 20
"""Groups that are named as too small; a table may have thousands."""


def fairness(contract: Contract, coded: Coded, answers: "Answers", resampler: Resampler) -> tuple[Fairness, ...]:
    """Compare the groups of every protected feature.

    Args:
        contract: says which features are protected, and how many rows a group needs.
        coded: N rows.
        answers: to them.
        resampler: of them.
    """
    return tuple(
        _compared(feature.name, grouping(contract, coded, feature), answers, resampler, contract.gates.smallest_group)
        for feature in contract.features
        if feature.protected
    )


class Answers:
    """What was answered to N rows, and what was true.

    Args:
        probabilities: [N].
        labels: 0 or 1, [N].
        acted: whether each row would be acted on, [N].
    """

    def __init__(self, probabilities: NDArray[np.float64], labels: NDArray[np.int8], acted: NDArray[np.bool_]) -> None:
        self.probabilities, self.labels, self.acted = probabilities, labels, acted
        self.columns = {
            "positives": labels,
            "acted": acted,
            "found": acted & (labels == 1),
            "told": probabilities,
        }


def _compared(name: str, groups: Grouping, answers: Answers, resampler: Resampler, smallest: int) -> Fairness:
    rows = groups.rows
    kept, small = np.flatnonzero(rows >= smallest), np.flatnonzero((rows > 0) & (rows < smallest))
    small = small[np.argsort(-rows[small], kind="stable")]
    codes = groups.only(kept)
    inside = codes >= 0
    sums = {
        key: np.bincount(codes[inside], column[inside], minlength=len(kept)) for key, column in answers.columns.items()
    }
    samples = {key: resampler.cells(codes, len(kept), column) for key, column in answers.columns.items()}
    counted, sampled = rows[kept].astype(np.float64), resampler.cells(codes, len(kept))
    enough = sums["positives"] >= smallest
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(enough, sums["found"] / sums["positives"], np.nan)
        shares, sampled_shares = sums["acted"] / counted, samples["acted"] / sampled
        sampled_found = samples["found"] / samples["positives"]
        parity = _gap(resampler, shares, sampled_shares)
        opportunity = _gap(resampler, found[enough], sampled_found[:, enough])
        error = np.abs(sums["told"] - sums["positives"]) / counted
        errors = np.abs(samples["told"] - samples["positives"]) / sampled
    told = zip(
        kept.tolist(),
        (sums["positives"] / counted).tolist(),
        shares.tolist(),
        found.tolist(),
        (sums["told"] / counted).tolist(),
        _intervals(resampler, shares, sampled_shares),
        _intervals(resampler, found, sampled_found),
        strict=True,
    )
    return Fairness(
        name,
        tuple(
            Group(groups.names[g], int(rows[g]), y, acted, None if np.isnan(tpr) else tpr, p, around_acted, around_tpr)
            for g, y, acted, tpr, p, around_acted, around_tpr in told
        ),
        parity,
        opportunity,
        int(sums["positives"][enough].sum()),
        resampler.measured(float(np.max(error)), np.max(errors, axis=1), 0, 1) if len(kept) else None,
        tuple(TooSmall(groups.names[g], int(rows[g])) for g in small[:_MOST_NAMED].tolist()),
        len(small),
    )


def _gap(resampler: Resampler, shares: NDArray[np.float64], samples: NDArray[np.float64]) -> Measured | None:
    """Return the largest difference between shares [G], with samples [resamples, G]; None for fewer than two."""
    if len(shares) < 2:  # noqa: PLR2004 - a difference needs two
        return None
    return resampler.measured(float(np.ptp(shares)), np.ptp(samples, axis=1), 0, 1)


def _intervals(
    resampler: Resampler, shares: NDArray[np.float64], samples: NDArray[np.float64]
) -> list[Interval | None]:
    """Return the interval of each share [G], from samples [resamples, G]; None where it is not known."""
    low, high = resampler.band(shares, samples, 0, 1)
    if not len(low):
        return [None] * len(shares)
    ends = zip(low.tolist(), high.tolist(), strict=True)
    return [None if np.isnan(below) else Interval(below, above) for below, above in ends]
