"""Where the new model is worse than the champion, beyond chance.

Both answer the same rows, so their difference is judged row by row, in profit and in logarithmic loss. Intervals are
Student's over blocks of whole entities, corrected for the number of slices (Bonferroni): with hundreds of slices some
look worse by chance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ebb.contract.model import Decision
from ebb.decision import threshold
from training.evaluation.calibration import log_losses
from training.evaluation.evidence import Slice, Slices
from training.evaluation.measured import Measured
from training.evaluation.money import earned
from training.evaluation.resample import Resampler
from training.evaluation.segments import Segments

_MISS = 0.05
_FEWEST_BLOCKS = 10
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
    found.sort(key=lambda s: (s.measure != "profit", -s.worse_by.value * s.rows))
    return Slices(judged, 1 - miss, rivals.basis, tuple(found))


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
