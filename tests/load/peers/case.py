"""What every server is asked: one graph, and rows whose answers are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from ebb.release.manifest import MODEL
from tests.home import Home
from training.dataset import read_dataset

CONTRACT = "synthetic"
ENTITIES = 1_000


@dataclass(frozen=True)
class Case:
    """One graph and its rows.

    Attributes:
        model: the graph's file.
        entity_ids: [N].
        inputs: of the graph, N rows, nothing missing (JSON has no NaN).
        expected: probabilities, float32 [N].
    """

    model: Path
    entity_ids: tuple[str, ...]
    inputs: Inputs
    expected: NDArray[np.float32]

    def numbers(self, row: int) -> list[float]:
        """Return one row's numbers, each in as few digits as say its float32 exactly."""
        found: list[float] = orjson.loads(orjson.dumps(self.inputs.numbers[row], option=orjson.OPT_SERIALIZE_NUMPY))
        return found

    def categories(self, row: int) -> list[Any]:
        """Return one row's categories."""
        return list(self.inputs.categories[row])


def case_of(home: Home) -> Case:
    """Return the champion of a prepared home with the first of its customers who lack nothing."""
    store = FolderReleases(home.folder / "releases")
    release = load_champion(store, CONTRACT, OnnxScorer)
    dataset = read_dataset(home.folder / "data/customers.parquet", release.contract, labelled=False)
    whole = np.flatnonzero(~np.isnan(dataset.inputs.numbers).any(1) & (dataset.inputs.categories != "").all(1))[
        :ENTITIES
    ]
    inputs = dataset.inputs.rows(whole)
    model = home.folder / "releases" / CONTRACT / release.manifest.version / MODEL
    ids = tuple(str(who) for who in dataset.entity_ids[whole])
    return Case(model, ids, inputs, release.scorer.score(inputs))
