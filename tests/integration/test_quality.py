"""The champion on real tables: as good as promised, and equal to its graph."""

from pathlib import Path

import pytest

from ebb.contract import Contract
from ebb.onnx import OnnxScorer
from tests.fakes.searched import searched
from tests.integration.training_case import CONTRACT as SYNTHETIC
from tests.integration.training_case import make_data
from tests.load.quality import measure
from training.dataset import Dataset, read_dataset
from training.export import export
from training.export.parity import parity
from training.fit import TreeSize
from training.pipeline import read_contract
from training.search import SIZES, fit_best

FILES = {"telco": "telco/Telco-Customer-Churn.csv", "iranian": "iranian/churn.csv"}


def real(shared_data: Path, name: str) -> tuple[Contract, Dataset]:
    contract, _ = read_contract(SYNTHETIC.parent / f"{name}.toml")
    return contract, read_dataset(shared_data / FILES[name], contract)


@pytest.mark.real_data
def test_telco_is_as_good_as_promised(shared_data: Path) -> None:
    found = measure(*real(shared_data, "telco"))
    assert found["auc"] >= 0.845, found
    assert found["calibration_error"] <= 0.03, found


@pytest.mark.real_data
def test_iranian_is_as_good_as_promised(shared_data: Path) -> None:
    found = measure(*real(shared_data, "iranian"))
    assert found["auc"] >= 0.985, found


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_graph_equals_model_on_real_tables(shared_data: Path, name: str, size: TreeSize) -> None:
    contract, dataset = real(shared_data, name)
    _prove(contract, dataset, size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: size.name)
def test_graph_equals_model_on_synthetic_customers(tmp_path: Path, size: TreeSize) -> None:
    contract, _ = read_contract(SYNTHETIC)
    _prove(contract, read_dataset(make_data(tmp_path, 10_000), contract), size)


def _prove(contract: Contract, dataset: Dataset, size: TreeSize) -> None:

    labels = dataset.labels
    assert labels is not None
    found = searched(dataset.inputs, labels, [size])
    model = fit_best(dataset.inputs, labels, found, 0)
    scorer = OnnxScorer(export(model, len(contract.numbers), len(contract.categories)))
    proved = parity(model, scorer, contract, dataset.inputs, rows=100_000)
    assert proved.rows >= 100_000
    assert proved.largest <= 1e-6
