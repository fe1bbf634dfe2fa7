"""Whether probabilities mean what they say.

The expected calibration error is the mean over all rows of |mean probability - share of positives| of the row's bin
(Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015). It is never 0 on a
sample, so it stands beside what perfect probabilities would show (Roelofs et al., "Mitigating bias in calibration
error estimation", AISTATS 2022).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.model import Bin, Calibration
from training.evaluation.resample import Resampler

BINS = 10
_LEAST = float(np.finfo(np.float64).eps)


def calibration(probabilities: NDArray[np.float64], labels: NDArray[np.int8], resampler: Resampler) -> Calibration:
    """Measure the calibration of N probabilities against N labels."""
    place = places(probabilities, BINS)
    told = np.bincount(place, probabilities, minlength=BINS)
    came = np.bincount(place, labels, minlength=BINS)
    gaps = resampler.cells(place, BINS, probabilities - labels)
    rows = resampler.cells(place, BINS)
    squares, losses = (probabilities - labels) ** 2, log_losses(probabilities, labels)
    means = resampler.means(squares, losses)
    with np.errstate(invalid="ignore"):
        error = np.abs(gaps).sum(axis=1) / rows.sum(axis=1)
    return Calibration(
        _bins(place, told, came, labels, resampler),
        resampler.measured(float(np.abs(told - came).sum() / len(labels)), error, 0, 1),
        _if_perfect(probabilities, place),
        resampler.measured(float(squares.mean()), means[:, 0], 0, 1),
        resampler.measured(float(losses.mean()), means[:, 1], 0),
    )


def log_losses(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the logarithmic loss of each row, [N]; probabilities of 0 and 1 are moved by the smallest step."""
    inside = np.clip(probabilities, _LEAST, 1 - _LEAST)
    losses: NDArray[np.float64] = -np.log(np.where(labels == 1, inside, 1 - inside))
    return losses


def places(probabilities: NDArray[Any], bins: int) -> NDArray[np.int64]:
    """Return the bin of equal width of each probability, [N]; the last bin includes 1."""
    return np.minimum((probabilities * bins).astype(np.int64), bins - 1)


def calibration_error(probabilities: NDArray[Any], labels: NDArray[np.int8], bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal width."""
    return float(sum(abs(mean - share) * rows for mean, share, rows in reliability(probabilities, labels, bins))) / len(
        labels
    )


def reliability(
    probabilities: NDArray[Any], labels: NDArray[np.int8], bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Return (mean probability, share of positives, rows) of each bin that has rows; the last bin includes 1."""
    place = places(probabilities, bins)
    rows = np.bincount(place, minlength=bins)
    told, came = np.bincount(place, probabilities, minlength=bins), np.bincount(place, labels, minlength=bins)
    return [(float(told[b] / rows[b]), float(came[b] / rows[b]), int(rows[b])) for b in np.flatnonzero(rows)]


def _if_perfect(probabilities: NDArray[np.float64], place: NDArray[np.int64]) -> float:
    """Return the mean calibration error of labels drawn from the probabilities themselves, each bin's sum as normal."""
    variances = np.bincount(place, probabilities * (1 - probabilities), minlength=BINS)
    return float(np.sqrt(2 / np.pi * variances).sum() / len(probabilities))


def _bins(
    place: NDArray[np.int64],
    told: NDArray[np.float64],
    came: NDArray[np.float64],
    labels: NDArray[np.int8],
    resampler: Resampler,
) -> tuple[Bin, ...]:
    rows = np.bincount(place, minlength=BINS)
    kept = np.flatnonzero(rows)
    share = came[kept] / rows[kept]
    with np.errstate(invalid="ignore"):
        samples = resampler.cells(place, BINS, labels)[:, kept] / resampler.cells(place, BINS)[:, kept]
    low, high = resampler.band(share, samples, 0, 1)
    ends = zip(low.tolist(), high.tolist(), strict=True) if len(low) else ((None, None) for _ in kept)
    return tuple(
        Bin(int(rows[b]), float(told[b] / rows[b]), float(positives), below, above)
        for b, positives, (below, above) in zip(kept.tolist(), share.tolist(), ends, strict=True)
    )
