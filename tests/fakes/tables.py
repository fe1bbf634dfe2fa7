"""Small random tables with a label that they explain, for tests of training."""

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.features.inputs import Inputs
from tests.fakes.made_contracts import contract_of
from training.calibrate import Model, fit_platt
from training.fit import TreeSize, fit_boosted

TINY = TreeSize("tiny", leaves=6, rate=0.2, trees=8)


def make_table(
    rows: int, numbers: int, categories: int, *, seed: int = 0, most: int = 5
) -> tuple[Inputs, NDArray[np.int8]]:
    """Return inputs with missing values in both kinds, and labels that depend on the first column of each."""
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(rows, numbers)), 2).astype(np.float32)
    codes = rng.integers(0, most, (rows, categories))
    lean = rng.normal(size=rows) * 0.5
    if numbers:
        lean = lean + values[:, 0]
    if categories:
        lean = lean + (codes[:, 0] % 3 - 1)
    texts = np.array([f"c{code}" for code in codes.ravel()], object).reshape(rows, categories)
    values[rng.random(values.shape) < 0.1] = np.nan
    texts[rng.random(texts.shape) < 0.1] = ""
    return Inputs(values, texts), (lean > 0).astype(np.int8)


def contract_for(numbers: int, categories: int, extra: str = "") -> Contract:
    """Return the contract of `make_table`: n0, n1, ... and c0, c1, ..., all of which may be missing."""
    features = [f'name = "n{j}"; kind = "number"; missing = true; min = -10; max = 10{extra}' for j in range(numbers)]
    features += [f'name = "c{j}"; kind = "category"; missing = true{extra}' for j in range(categories)]
    return contract_of(*features)


def fit_model(inputs: Inputs, labels: NDArray[np.int8], size: TreeSize = TINY, seed: int = 0) -> Model:
    """Fit trees, and a calibration on their own answers: good enough to be exported."""
    boosted = fit_boosted(inputs, labels, size, seed)
    return Model(boosted, fit_platt(boosted.raw(inputs), labels))
