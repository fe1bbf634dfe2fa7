"""Proof that the graph answers what the fitted model answers, on rows made to find a difference."""

from dataclasses import dataclass

import numpy as np

from ebb.contract.model import Contract
from ebb.decision import threshold
from ebb.errors import GateRefused
from ebb.features.inputs import Inputs
from ebb.ports import Scorer
from training.calibrate import Model
from training.export.parity_rows import parity_rows

ROWS = 100_000


@dataclass(frozen=True)
class Parity:
    """How close graph and model are.

    Attributes:
        rows: compared.
        largest: difference in probability.
    """

    rows: int
    largest: float


def parity(
    model: Model, scorer: Scorer, contract: Contract, inputs: Inputs, *, rows: int = ROWS, seed: int = 0
) -> Parity:
    """Compare graph and model.

    Args:
        model: as fitted, of any family.
        scorer: the graph.
        contract: its gate `max_parity` is the largest difference allowed, without exceptions.
        inputs: the training data.
        rows: how many to draw; rows at the decision threshold and nasty ones come on top.
        seed: of the draw.

    Raises:
        GateRefused: rows differ by more; names how many and by how much.
    """
    drawn = parity_rows(model, inputs, rows=rows, seed=seed, probability=threshold(contract.decision))
    difference = np.abs(scorer.score(drawn).astype(np.float64) - model.probability(drawn))
    wrong = int(np.sum(~(difference <= contract.gates.max_parity)))
    largest = float(np.max(difference, initial=0.0))
    if wrong:
        raise GateRefused(
            f"the exported graph does not answer as the {model.fitted.family} model does: {wrong:,} of "
            f"{len(drawn):,} rows differ by more than the gate max_parity of {contract.gates.max_parity:g}, the worst "
            f"by {largest:.3g}; nothing was written"
        )
    return Parity(len(drawn), largest)
