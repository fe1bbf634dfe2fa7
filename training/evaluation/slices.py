"""Where the new model is worse than the champion, beyond chance.

Both answer the same rows, so their difference is judged row by row, in profit and in logarithmic loss. Intervals are
Student's over blocks of whole entities, corrected for the number of slices (Bonferroni): with hundreds of slices some
look worse by chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ebb.contract.model import Decision
from ebb.decision import threshold
from training.evaluation.calibration import log_losses
from training.evaluation.evidence import Slice, Slices
from training.evaluation.measured import Measured
from training.evaluation.model import Segment
from training.evaluation.money import earned
from training.evaluation.resample import Resampler
from training.evaluation.segments import Segments

_MISS = 0.05
_FEWEST_BLOCKS = 10
_MOST_TOLD = 20
_SIGMAS_95 = 1.96
_OWN_FIGURES = "out-of-fold figures of both on the same rows, taken as independent of each other"
_SURE = 1e-6
"""Float32 graphs answer 0 and 1 where the truth is a little less sure."""


@dataclass(frozen=True)
class Rivals:
    """What two models answer to the same N rows.

    Attributes:
        labels: 0 or 1, [N].
        ours: probabilities of the new model, [N].
        theirs: of the champion, [N].
        basis: how they were had, for people.
    """

    labels: NDArray[np.int8]
    ours: NDArray[np.float64]
    theirs: NDArray[np.float64]
    basis: str

    def worse_by(self, decision: Decision) -> dict[str, NDArray[np.float64]]:
        """Return by how much ours is worse at each row, [N], by measure."""
        worth, at = earned(decision, self.labels), threshold(decision)
        profit = worth * ((self.theirs >= at).astype(np.float64) - (self.ours >= at))
        ours, theirs = (log_losses(np.clip(side, _SURE, 1 - _SURE), self.labels) for side in (self.ours, self.theirs))
        return {"profit": profit, "log_loss": ours - theirs}


def worse_slices(decision: Decision, segments: Segments, rivals: Rivals, resampler: Resampler) -> Slices:
    """Find the segments in which the new model is worse than the champion.

    Args:
        decision: the economics.
        segments: of N rows.
        rivals: their answers to these.
        resampler: of these.
    """
    judged = sum(len(kept) for _, _, kept in segments.groupings)
    measures = rivals.worse_by(decision)
    miss = _MISS / max(judged * len(measures), 1)
    found: list[Slice] = []
    for feature, groups, kept in segments.groupings:
        codes = groups.only(kept)
        rows = resampler.by_block(codes, len(kept))
        for measure, worse_by in measures.items():
            mean, half = _spread(rows, resampler.by_block(codes, len(kept), worse_by), miss)
            for j in np.flatnonzero(mean - half > 0).tolist():
                interval = Measured(float(mean[j]), float(mean[j] - half[j]), float(mean[j] + half[j]))
                count = int(rows[:, j].sum())
                found.append(Slice(feature.name, groups.names[kept[j]], count, measure, interval))
    return _ranked(found, judged, miss, rivals.basis)


def worse_than_told(ours: Sequence[Segment], theirs: Sequence[Mapping[str, Any]]) -> Slices:
    """Find the segments in which the new model is worse than what the champion's own `metrics.json` tells of them.

    For a champion that was trained on exactly these rows: its answers now would flatter it, its out-of-fold figures do
    not. They are no longer known row by row, so the interval of a difference is that of two independent figures,
    which is wider than it need be.

    Args:
        ours: the segments of the new model, out of fold.
        theirs: the champion's, as in its metrics.
    """
    told = {(s["feature"], s["name"], s["rows"]): s for s in theirs}
    pairs = [(s, told[s.feature, s.name, s.rows]) for s in ours if (s.feature, s.name, s.rows) in told]
    miss = _MISS / max(len(pairs) * 2, 1)
    found: list[Slice] = []
    for here, there in pairs:
        for measure, sign in (("profit", -1.0), ("log_loss", 1.0)):
            worse_by = _apart(getattr(here, measure), Measured(**there[measure]), sign, miss)
            if worse_by is not None:
                found.append(Slice(here.feature, here.name, here.rows, measure, worse_by))
    return _ranked(found, len(pairs), miss, _OWN_FIGURES)


def _apart(ours: Measured, theirs: Measured, sign: float, miss: float) -> Measured | None:
    """Return by how much ours is worse, if the interval excludes 0."""
    if ours.low is None or ours.high is None or theirs.low is None or theirs.high is None:
        return None
    worse_by = sign * (ours.value - theirs.value)
    # ends of 95 % are 1.96 standard errors out
    half = math.hypot(ours.high - ours.low, theirs.high - theirs.low) / 2 * float(ndtri(1 - miss / 2)) / _SIGMAS_95
    return Measured(worse_by, worse_by - half, worse_by + half) if worse_by > half else None


def _ranked(found: list[Slice], judged: int, miss: float, basis: str) -> Slices:
    found.sort(key=lambda s: (s.measure != "profit", -s.worse_by.value * s.rows))
    return Slices(judged, 1 - miss, basis, len(found), tuple(found[:_MOST_TOLD]))


def _spread(
    rows: NDArray[np.float64], sums: NDArray[np.float64], miss: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean [S] and half the width of its interval [S], from counts and sums by block [blocks, S]."""
    total = rows.sum(axis=0)
    mean = sums.sum(axis=0) / total
    left = sums - mean * rows
    blocks = (rows > 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt((left**2).sum(axis=0) * blocks / (blocks - 1)) / total
        half = stdtrit(np.maximum(blocks - 1, 1), 1 - miss / 2) * error
    return mean, np.where(blocks < _FEWEST_BLOCKS, np.inf, half)
