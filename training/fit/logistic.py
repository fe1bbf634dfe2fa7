"""Logistic regression on standardised columns: the family that is quick, small and easy to read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ebb.features.inputs import Inputs
from training.fit.boosted import joined, learned_columns
from training.fit.coded import Coded, code
from training.fit.encoding import TargetEncoding, fit_encoding

LOGISTIC = "logistic"
FARTHEST = 6.0
"""Standard deviations; what lies farther out counts as this far, so that one wild value decides nothing."""
_MOST_ROWS = 500_000
"""A line does not get better with more, and memory stays bounded."""


@dataclass(frozen=True)
class Linear:
    """One logistic regression.

    Attributes:
        name: for people.
        strength: inverse of the l2 regularisation.
        family: for people.
    """

    name: str
    strength: float
    family: str = LOGISTIC

    @property
    def work(self) -> float:
        """Rough cost of a fit, in the units of `TreeSize.work`."""
        return 30.0


@dataclass(frozen=True)
class Logistic:
    """log-odds = offset + weights . z + missing_weights . missing, with z = clip((x - centre) / scale) and 0 for NaN.

    Attributes:
        encoding: of the categories.
        centre, scale, weights: float64 [n + c], of the columns that `training.fit.boosted.joined` returns.
        missing_weights: float64 [n], added where a number is missing.
        offset: log-odds of the typical row.
        family: for people.
    """

    encoding: TargetEncoding
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    missing_weights: NDArray[np.float64]
    offset: float
    family: str = LOGISTIC

    def raw(self, rows: Inputs | Coded) -> NDArray[np.float64]:
        """Return log-odds before calibration, float64 [N]."""
        coded = code(rows)
        raw = np.empty(len(coded))
        for start in range(0, len(coded), 1 << 16):  # bounds the doubles in memory
            part = coded.rows(slice(start, start + (1 << 16)))
            z, missing = _standard(joined(part, self.encoding), self.centre, self.scale, len(self.missing_weights))
            raw[start : start + len(part)] = z @ self.weights + missing @ self.missing_weights + self.offset
        return raw


def fit_logistic(
    rows: Inputs | Coded,
    labels: NDArray[np.int8],
    linear: Linear,
    seed: int,
    groups: NDArray[np.intp] | None = None,
) -> Logistic:
    """Fit encoding and line on N rows (at most half a million of them, drawn by seed, for the line).

    Args:
        rows: N of them.
        labels: 0 or 1, [N]; at least five of each.
        linear: the regularisation.
        seed: of the folds of the encoding, and of the draw.
        groups: number of each row's entity, [N]; None where every entity has one row.
    """
    coded = code(rows)
    encoding = fit_encoding(coded, labels)
    columns = learned_columns(coded, labels, seed, groups)
    numbers = coded.numbers.shape[1]
    missing = np.isnan(coded.numbers)
    if len(labels) > _MOST_ROWS:
        drawn = np.sort(np.random.default_rng(seed).choice(len(labels), _MOST_ROWS, replace=False))
        columns, missing, labels = columns[drawn], missing[drawn], labels[drawn]
    centre, scale = _moments(columns)
    z, _ = _standard(columns, centre, scale, numbers)
    regression = LogisticRegression(C=linear.strength, max_iter=300, tol=1e-5)
    with threadpool_limits(limits=1):
        regression.fit(np.concatenate([z, missing], axis=1), labels)
    weights = regression.coef_[0].astype(np.float64)
    cut = columns.shape[1]
    return Logistic(encoding, centre, scale, weights[:cut], weights[cut:], float(regression.intercept_[0]))


def _moments(columns: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = ~np.isnan(columns)
    rows = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, columns, 0.0).sum(axis=0, dtype=np.float64) / rows
    spread = np.where(known, columns - centre, 0.0)
    scale = np.sqrt((spread**2).sum(axis=0) / rows)
    return centre, np.where((scale > 0) & np.isfinite(scale), scale, 1.0)


def _standard(
    columns: NDArray[np.float32], centre: NDArray[np.float64], scale: NDArray[np.float64], numbers: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z = (columns.astype(np.float64) - centre) / scale
    missing = np.isnan(z)
    z = np.clip(np.where(missing, 0.0, z), -FARTHEST, FARTHEST)
    return z, missing[:, :numbers].astype(np.float64)
