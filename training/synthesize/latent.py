"""Correlated uniforms by a Gaussian copula.

Normal scores with the wished correlation are drawn and mapped through the normal distribution function; any marginal
distribution follows from its quantile function (Nelsen, "An Introduction to Copulas", 2006, section 2.3).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

NAMES = (
    "age", "tenure", "charges", "usage", "trend", "calls", "sessions", "idle", "tickets", "late",
    "credit", "household", "mood", "rise",
)  # fmt: skip
_PAIRS = {
    ("age", "tenure"): 0.35, ("age", "credit"): 0.30, ("age", "usage"): -0.35, ("age", "calls"): 0.20,
    ("tenure", "credit"): 0.25, ("charges", "usage"): 0.45, ("charges", "credit"): 0.15, ("usage", "sessions"): 0.50,
    ("usage", "trend"): 0.20, ("sessions", "idle"): -0.60, ("usage", "idle"): -0.35, ("trend", "idle"): -0.30,
    ("tickets", "mood"): -0.50, ("rise", "mood"): -0.25, ("late", "credit"): -0.50, ("mood", "idle"): -0.25,
    ("household", "usage"): 0.20, ("household", "charges"): 0.25, ("tickets", "trend"): -0.15, ("mood", "trend"): 0.20,
}  # fmt: skip

Latent = dict[str, NDArray[np.float64]]


def correlation() -> NDArray[np.float64]:
    """Return the stated correlation of the normal scores, [14, 14], in the order of `NAMES`."""
    matrix = np.eye(len(NAMES))
    for (one, other), value in _PAIRS.items():
        i, j = NAMES.index(one), NAMES.index(other)
        matrix[i, j] = matrix[j, i] = value
    return matrix


def draw_latent(random: np.random.Generator, rows: int) -> Latent:
    """Draw uniforms in (0, 1) by name, each [rows], correlated as stated."""
    scores = random.standard_normal((rows, len(NAMES))) @ np.linalg.cholesky(correlation()).T
    uniforms = np.clip(ndtr(scores), 1e-9, 1 - 1e-9)
    return {name: uniforms[:, i] for i, name in enumerate(NAMES)}
