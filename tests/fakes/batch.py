"""Releases of real fitted models and tables for them: what tests of batch scoring need."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ebb.contract import Contract
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from ebb.release import manifest as m
from ebb.release.load import LoadedRelease
from ebb.release.reference import make_reference
from tests.fakes.fitted import fit_family
from tests.fakes.made_contracts import contract_of
from training.calibrate import Model
from training.export import export

NUMBERS, CATEGORIES = 4, 3
_TEXTS = ("", "basic", "plus", "gold", "é中", "a b")


def batch_contract() -> Contract:
    """Return a contract of four numbers and three categories, all of which may be missing."""
    numbers = [f'name = "n{j}"; kind = "number"; missing = true' for j in range(NUMBERS)]
    texts = [f'name = "c{j}"; kind = "category"; missing = true' for j in range(CATEGORIES)]
    return contract_of(*numbers, *texts, name="batch", entity="id")


def made_inputs(rows: int, seed: int = 0) -> Inputs:
    """Return rows with missing values."""
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(size=(rows, NUMBERS)) * 10, 1).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    return Inputs(numbers, rng.choice(np.array(_TEXTS, object), (rows, CATEGORIES)))


def made_model(family: str = "boosted", *, leaves: int = 7, trees: int = 12, rows: int = 1_500) -> Model:
    """Fit a small model of a family."""
    inputs = made_inputs(rows)
    rng = np.random.default_rng(7)
    wave = np.sin(np.nan_to_num(inputs.numbers) / 3).sum(axis=1) + (inputs.categories == "gold").sum(axis=1)
    labels = (wave + rng.normal(size=rows) > 0.6).astype(np.int8)
    return fit_family(family, inputs, labels, leaves=leaves, trees=trees)


def release_of(model: Model, contract: Contract | None = None) -> LoadedRelease:
    """Return a release of a model of `batch_contract`."""
    contract = contract or batch_contract()
    scorer = OnnxScorer(export(model, NUMBERS, CATEGORIES))
    files = {m.MODEL: m.digest(scorer.model)}
    manifest = m.Manifest(contract.name, files[m.MODEL][:12], files, "0" * 64, "", {}, "", "", "")
    inputs = made_inputs(50)
    reference = make_reference(contract, inputs, np.ones(50, np.int8), scorer.score(inputs))
    return LoadedRelease(contract, manifest, reference, scorer, m.digest(manifest.to_bytes()))


def table_of(inputs: Inputs, first: int = 0) -> pa.Table:
    """Return rows as a table with the keys `e-<place>`."""
    columns: dict[str, Any] = {"id": [f"e-{first + i:06d}" for i in range(len(inputs))]}
    for j in range(NUMBERS):
        values = inputs.numbers[:, j]
        columns[f"n{j}"] = pa.array(values.astype(np.float64), mask=np.isnan(values))
    for j in range(CATEGORIES):
        columns[f"c{j}"] = pa.array([text or None for text in inputs.categories[:, j]], pa.string())
    return pa.table(columns)


def write_shards(folder: Path, counts: list[int], **options: Any) -> Inputs:
    """Write shards of so many rows each, and return the rows of all."""
    inputs = made_inputs(sum(counts), seed=3)
    first = 0
    for number, count in enumerate(counts):
        path = folder / f"month={number % 2}" / f"part-{number:03d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table_of(inputs.rows(slice(first, first + count)), first), path, **options)
        first += count
    return inputs


def scored(path: Path) -> pa.Table:
    """Read a scored table, or all shards of one in the order of the keys."""
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    return pa.concat_tables([pq.ParquetFile(file).read().replace_schema_metadata() for file in files])
