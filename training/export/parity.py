"""Proof that the graph answers what scikit-learn answers, on rows made to find a difference."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.errors import GateRefused
from ebb.features.inputs import Inputs
from ebb.ports import Scorer
from training.calibrate import Model
from training.export.trees import split_thresholds

ROWS = 100_000
UNSEEN = "UNSEEN_é中"
_ON_SPLIT, _MISSING, _UNSEEN = 0.20, 0.03, 0.03


@dataclass(frozen=True)
class Parity:
    """How close graph and scikit-learn are.

    Attributes:
        rows: compared.
        largest: difference in probability.
    """

    rows: int
    largest: float


def parity(
    model: Model, scorer: Scorer, contract: Contract, inputs: Inputs, *, rows: int = ROWS, seed: int = 0
) -> Parity:
    """Compare graph and scikit-learn.

    Args:
        model: as fitted by scikit-learn.
        scorer: the graph.
        contract: its gate `max_parity` is the largest difference allowed, without exceptions.
        inputs: the training data.
        rows: how many to draw.
        seed: of the draw.

    Raises:
        GateRefused: rows differ by more; names how many and by how much.
    """
    drawn = parity_rows(model, inputs, rows=rows, seed=seed)
    difference = np.abs(scorer.score(drawn).astype(np.float64) - model.probability(drawn))
    wrong = int(np.sum(~(difference <= contract.gates.max_parity)))
    largest = float(np.max(difference, initial=0.0))
    if wrong:
        raise GateRefused(
            f"the exported graph does not answer as scikit-learn does: {wrong:,} of {rows:,} rows differ by more than "
            f"the gate max_parity of {contract.gates.max_parity:g}, the worst by {largest:.3g}; nothing was written"
        )
    return Parity(rows, largest)


def parity_rows(model: Model, inputs: Inputs, *, rows: int, seed: int) -> Inputs:
    """Draw rows column by column: known values, split thresholds and their float32 neighbours, missing, unseen."""
    rng = np.random.default_rng(seed)
    thresholds = split_thresholds(model.fitted.trees)
    numbers = np.empty((rows, inputs.numbers.shape[1]), np.float32)
    for j in range(numbers.shape[1]):
        numbers[:, j] = inputs.numbers[rng.integers(0, len(inputs), rows), j]
        dice = rng.random(rows)
        if len(near := around(thresholds.get(j, np.empty(0)))):
            on_split = dice < _ON_SPLIT
            numbers[on_split, j] = rng.choice(near, int(on_split.sum()))
        numbers[dice > 1 - _MISSING, j] = np.nan
    categories = np.empty((rows, inputs.categories.shape[1]), object)
    for j in range(categories.shape[1]):
        categories[:, j] = inputs.categories[rng.integers(0, len(inputs), rows), j]
        dice = rng.random(rows)
        categories[dice < _UNSEEN, j] = UNSEEN
        categories[dice > 1 - _MISSING, j] = ""
    return Inputs(numbers, categories)


def around(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return each threshold in float32 with its two neighbours; what float32 cannot hold is left out."""
    limit = float(np.finfo(np.float32).max)
    near = thresholds[np.abs(thresholds) < limit].astype(np.float32)
    infinity = np.float32(np.inf)
    around = np.unique(np.concatenate([near, np.nextafter(near, -infinity), np.nextafter(near, infinity)]))
    finite: NDArray[np.float32] = around[np.isfinite(around)]
    return finite
