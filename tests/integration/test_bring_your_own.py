"""From a table that nobody has seen to a release: `ebb init`, then `ebb train`, and nothing edited between."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ebb.contract import parse_contract
from ebb.features.inputs import accept_row, encode
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from local.cli import run
from tests.integration.training_case import Case
from tests.ugly import START, Ugly, make_ugly
from training.dataset import read_dataset
from training.pipeline import TrainResult

ROWS = 600


def started(table: Path, label: str, capsys: pytest.CaptureFixture[str]) -> tuple[Path, dict[str, object]]:
    """Run `ebb init`; return the contract's file and what was told as JSON."""
    out = table.with_suffix(".toml")
    assert run(["init", str(table), "--label", label, "--out", str(out), "--json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return out, told


def trained(table: Path, contract: Path) -> TrainResult:
    return Case(table, table.parent / "releases", contract).train()


@pytest.mark.parametrize("seed", [3, 5, 11])
def test_an_ugly_table_becomes_a_release_without_an_edit(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ugly = make_ugly(tmp_path, seed, ROWS, 12)
    contract, _ = started(ugly.path, ugly.label, capsys)
    result = trained(ugly.path, contract)
    assert FolderReleases(tmp_path / "releases").champion(result.contract) == result.version
    assert result.metrics["auc"] > 0.6


@pytest.mark.parametrize("seed", range(20, 32))
def test_what_reveals_the_outcome_is_never_used_in_silence(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ugly = make_ugly(tmp_path, seed, ROWS)
    contract, told = started(ugly.path, ugly.label, capsys)
    features = {feature["column"]: feature for feature in _features(told)}
    for title in _of_kind(ugly, "outcome date"):
        assert title not in features
        assert title in told["left_out"]  # type: ignore[operator]
    for title in _of_kind(ugly, "leak"):
        assert features[title]["leak"]
    for title in _of_kind(ugly, "reason"):
        assert features[title]["known_afterwards"]
        assert features[title]["gives_away"]
    for title in _of_kind(ugly, "few"):
        assert not features[title]["leak"]
    assert read_dataset(ugly.path, parse_contract(contract.read_text())).rows >= ROWS


def test_a_date_means_the_same_in_a_request_as_in_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table's rows through the release, and the same entities as a caller would send them."""
    random = np.random.default_rng(1)
    days = random.integers(0, 3_000, ROWS).tolist()
    left = random.random(ROWS) < 1 / (1 + np.exp((np.array(days) - 1_500) / 500))
    lines = ["Kunde seit;Umsatz;weg"]
    for day, gone in zip(days, left, strict=True):
        lines.append(f"{START + timedelta(days=day):%d.%m.%Y};{day % 97},50 €;{'yes' if gone else 'no'}")
    table = tmp_path / "mine.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file, told = started(table, "weg", capsys)
    assert [feature["written"] for feature in _features(told)] == ["dd/mm/yyyy", "1.234,5"]
    contract = parse_contract(file.read_text(encoding="utf-8"))
    scorer = OnnxScorer((trained(table, file).folder / "model.onnx").read_bytes())
    read = read_dataset(table, contract).inputs
    since, sales = contract.features
    first = (START - datetime(1970, 1, 1, tzinfo=UTC)).days
    sent = [accept_row(contract, {since.name: first + day, sales.name: day % 97 + 0.5}) for day in days]
    assert np.array_equal(scorer.score(encode(contract, sent)), scorer.score(read))


@pytest.mark.parametrize(
    ("file", "label", "auc"), [("telco/Telco-Customer-Churn.csv", "Churn", 0.82), ("iranian/churn.csv", "Churn", 0.95)]
)
def test_real_tables_train_from_an_untouched_contract(
    file: str, label: str, auc: float, tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / Path(file).name
    table.write_bytes((shared_data / file).read_bytes())
    contract, told = started(table, label, capsys)
    assert not any(feature["leak"] for feature in _features(told))
    assert trained(table, contract).metrics["auc"] > auc


def test_a_table_of_events_has_no_label_and_says_so(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = shared_data / "online_retail" / "online_retail.parquet"
    assert run(["init", str(events), "--label", "Country", "--out", str(tmp_path / "c.toml")]) != 0
    assert "a yes/no outcome has two" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "c.toml").exists()


def _features(told: dict[str, object]) -> list[dict[str, object]]:
    features = told["features"]
    assert isinstance(features, list)
    return features


def _of_kind(ugly: Ugly, kind: str) -> list[str]:
    return [title.strip() for title, of in ugly.columns.items() if of == kind]
