"""Quality on the real tables, and parity over rows made to find a difference, on every table there is."""

from collections.abc import Iterator
from pathlib import Path

from ebb.contract import Contract
from ebb.onnx import OnnxScorer
from tests.fakes.searched import searched
from tests.home import ROOT
from tests.load.figures import Figure
from tests.load.quality import measure
from training.dataset import Dataset, read_dataset
from training.export import export
from training.export.parity import ROWS, parity
from training.pipeline import read_contract
from training.search import fit_best

REAL = {"telco": "telco/Telco-Customer-Churn.csv", "iranian": "iranian/churn.csv"}
_AUC = {"telco": 0.845, "iranian": 0.985}
_ECE = {"telco": 0.03}


def tables(shared_data: Path | None, synthetic: Path) -> Iterator[tuple[Contract, Dataset]]:
    """Return every table there is: the synthetic one, and the real ones where their folder is present."""
    found = {"synthetic": synthetic}
    if shared_data is not None:
        found |= {name: shared_data / path for name, path in REAL.items()}
    for name, path in found.items():
        contract, _ = read_contract(ROOT / "training" / "contracts" / f"{name}.toml")
        yield contract, read_dataset(path, contract)


def parity_figure(contract: Contract, dataset: Dataset) -> Figure:
    """Fit the champion, export it, and compare both over 100,000 drawn rows."""
    assert dataset.labels is not None, "parity needs a fitted model"
    found = searched(dataset.inputs, dataset.labels)
    model = fit_best(dataset.inputs, dataset.labels, found, 0)
    scorer = OnnxScorer(export(model, len(contract.numbers), len(contract.categories)))
    proved = parity(model, scorer, contract, dataset.inputs, rows=ROWS)
    how = "rows drawn column by column, 20 % at split thresholds and their neighbours, missing, unseen"
    return Figure(
        f"parity, {contract.name}: largest difference", "probability", proved.largest, 1e-6, how, tolerated=1.0
    )


def quality_figures(contract: Contract, dataset: Dataset) -> list[Figure]:
    """Measure AUC and calibration error out of fold; empty for a table without a promise."""
    if contract.name not in _AUC:
        return []
    found = measure(contract, dataset)
    how = "pooled out of fold, 5 folds, size of trees chosen by inner folds"
    auc = Figure(f"AUC, {contract.name}", "", found["auc"], _AUC[contract.name], how, at_least=True, tolerated=1.0)
    how = "10 equal-width bins, pooled"
    error = found["calibration_error"]
    promise = _ECE.get(contract.name)
    return [auc, Figure(f"calibration error, {contract.name}", "", error, promise, how, tolerated=1.0)]
