"""Champions to explain: of telco, and of a table in which all of 20 features differ from the reference."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract, parse_contract
from ebb.features.inputs import Inputs, accept_row, encode
from ebb.onnx import OnnxScorer
from ebb.release.reference import make_reference
from tests.fakes.contracts import TEXT
from tests.fakes.searched import searched
from tests.home import ROOT
from training.calibrate import Model
from training.dataset import read_dataset
from training.export import export
from training.fit import TreeSize
from training.pipeline import read_contract
from training.search import SIZES, fit_best

SMALL = next(size for size in SIZES if size.name == "small")
"""What the search chooses for telco."""
LARGE = TreeSize("large", leaves=31, rate=0.1, trees=300)

_ROWS, _NUMBERS, _CATEGORIES, _LEVELS = 4_000, 10, 10, 6


@dataclass(frozen=True)
class Explained:
    """A champion with the table that it was trained on, and its reference row."""

    contract: Contract
    model: Model
    scorer: OnnxScorer
    inputs: Inputs
    reference: dict[str, float | str]

    @property
    def names(self) -> list[str]:
        """Features by column, numbers first."""
        return [feature.name for feature in (*self.contract.numbers, *self.contract.categories)]

    @property
    def usual(self) -> Inputs:
        """The reference row as the graph sees it."""
        return encode(self.contract, [self.reference])

    def row(self, at: int) -> dict[str, float | str]:
        """Return the accepted values of one row of the table."""
        values = [*self.inputs.numbers[at].tolist(), *self.inputs.categories[at].tolist()]
        return dict(zip(self.names, values, strict=True))


def telco(shared_data: Path, size: TreeSize) -> Explained:
    """Fit telco's champion with trees of this size, as the pipeline does."""
    contract, _ = read_contract(ROOT / "training" / "contracts" / "telco.toml")
    dataset = read_dataset(shared_data / "telco" / "Telco-Customer-Churn.csv", contract)
    assert dataset.labels is not None
    return _fitted(contract, dataset.inputs, dataset.labels, size)


def twenty(size: TreeSize = SMALL) -> Explained:
    """Fit a champion of ten numbers and ten categories with effects of all sizes and a few interactions."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(_ROWS, _NUMBERS)).astype(np.float32)
    codes = random.integers(_LEVELS, size=(_ROWS, _CATEGORIES))
    effects = 1.0 / (1.0 + np.arange(_NUMBERS + _CATEGORIES))
    told = np.column_stack([numbers, random.normal(size=(_CATEGORIES, _LEVELS))[np.arange(_CATEGORIES), codes]])
    random.shuffle(effects)
    raw = told @ effects - 1.0 + 0.7 * told[:, 0] * told[:, 12] - 0.5 * np.abs(told[:, 3]) * told[:, 15]
    labels = (random.random(_ROWS) < 1.0 / (1.0 + np.exp(-raw))).astype(np.int8)
    return _fitted(_contract(), Inputs(numbers, np.char.add("level_", codes.astype(str)).astype(object)), labels, size)


def cases(explained: Explained, count: int, *, differ: int = 1) -> list[int]:
    """Draw rows of which at least so many features differ from the reference."""
    usual = explained.usual
    same = explained.inputs.numbers == usual.numbers
    same |= np.isnan(explained.inputs.numbers) & np.isnan(usual.numbers)
    differing = (~same).sum(axis=1) + (explained.inputs.categories != usual.categories).sum(axis=1)
    chosen: list[int] = np.random.default_rng(1).permutation(np.flatnonzero(differing >= differ))[:count].tolist()
    assert len(chosen) == count
    return chosen


def _fitted(contract: Contract, inputs: Inputs, labels: NDArray[np.int8], size: TreeSize) -> Explained:
    found = searched(inputs, labels, [size])
    model = fit_best(inputs, labels, found, 0)
    scorer = OnnxScorer(export(model, len(contract.numbers), len(contract.categories)))
    typical = make_reference(contract, inputs, labels, scorer.score(inputs)).typical(contract)
    return Explained(contract, model, scorer, inputs, accept_row(contract, typical))


def _contract() -> Contract:
    head = TEXT[: TEXT.index("[[rules.adjust]]")]
    numbers = [f'[[features]]\nname = "number_{j}"\nkind = "number"\n' for j in range(_NUMBERS)]
    categories = [f'[[features]]\nname = "category_{j}"\nkind = "category"\n' for j in range(_CATEGORIES)]
    return parse_contract(head + "".join(numbers + categories), "twenty.toml")
