"""From 5,000 synthetic customers to a release that is verified, registered and serves."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from ebb.contract import parse_contract
from ebb.errors import ContractError, GateRefused, ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from ebb.release.manifest import CONTRACT, GOLDEN, MODEL, digest
from local.cli import run
from tests.integration.training_case import CONTRACT as CONTRACT_FILE
from tests.integration.training_case import Case, make_data
from training.dataset import read_dataset
from training.pipeline import TrainResult, read_contract

NAME = "synthetic"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tables")
    return make_data(folder / "one", 5_000), make_data(folder / "two", 5_000, seed=1)


@pytest.fixture(scope="module")
def trained(tables: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, TrainResult]:
    """Train once; tests that change the releases copy them."""
    case = Case(tables[0], tmp_path_factory.mktemp("trained") / "releases")
    return case, case.train()


@pytest.fixture
def copied(trained: tuple[Case, TrainResult], tmp_path: Path) -> tuple[Case, TrainResult]:
    case, result = trained
    shutil.copytree(case.releases, tmp_path / "releases")
    return Case(case.data, tmp_path / "releases"), result


def registry(case: Case) -> MlflowClient:
    address = f"sqlite:///{case.releases / 'mlflow.db'}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def test_the_release_is_verified_and_answers_as_the_graph(trained: tuple[Case, TrainResult]) -> None:
    case, result = trained
    loaded = load_champion(FolderReleases(case.releases), NAME, OnnxScorer)
    assert loaded.name == result.release
    assert loaded.manifest.run_id == result.run_id
    contract = parse_contract(CONTRACT_FILE.read_text())
    data = read_dataset(case.data, contract)
    assert loaded.manifest.data_sha256 == data.sha256
    answers = loaded.scorer.score(data.inputs)
    assert answers.dtype == np.float32
    assert loaded.reference.rows == len(answers) == 5_000
    assert sum(loaded.reference.score["counts"]) == 5_000


def test_the_contract_is_kept_byte_by_byte(trained: tuple[Case, TrainResult]) -> None:
    _, result = trained
    assert (result.folder / CONTRACT).read_bytes() == CONTRACT_FILE.read_bytes()


def test_metrics_gates_and_timings_are_told(trained: tuple[Case, TrainResult]) -> None:
    _, result = trained
    written = json.loads((result.folder / "metrics.json").read_text())
    assert written["auc"] == result.metrics["auc"] > 0.75
    assert written["parity"]["rows"] >= 100_000
    assert written["parity"]["largest"] <= 1e-6
    assert written["search"]["states"] == {"complete": 1}
    assert all(gate.passed for gate in result.gates)
    assert {"read", "search", "fit", "export", "parity", "evaluate", "describe", "publish"} <= set(result.timings)


def test_golden_examples_are_many(trained: tuple[Case, TrainResult]) -> None:
    _, result = trained
    assert 50 <= len((result.folder / GOLDEN).read_text().splitlines()) <= 75


def test_it_is_registered_as_champion(trained: tuple[Case, TrainResult]) -> None:
    case, result = trained
    client = registry(case)
    version = client.get_model_version_by_alias(NAME, "champion")
    assert version.tags["ebb.release"] == result.version
    assert (str(version.version), version.run_id) == (result.model_version, result.run_id)
    run = client.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["auc"] == result.metrics["auc"]
    assert run.data.params["leaves"] == "31"
    assert run.data.tags["ebb.contract_sha256"] == digest(CONTRACT_FILE.read_bytes())
    assert run.data.tags["ebb.data_sha256"]
    assert {a.path for a in client.list_artifacts(result.run_id)} >= {"card.html", "metrics.json", "release"}
    assert client.get_experiment(run.info.experiment_id).name == NAME


def test_the_same_again_is_the_same_version(copied: tuple[Case, TrainResult]) -> None:
    case, first = copied
    again = case.train()
    assert again.version == first.version
    assert again.model_version == first.model_version
    assert any("existed already" in note for note in again.notes)
    assert (again.folder / MODEL).read_bytes() == (first.folder / MODEL).read_bytes()
    assert "previous" not in registry(case).get_registered_model(NAME).aliases


def test_other_data_another_champion_and_the_former_is_previous(
    copied: tuple[Case, TrainResult], tables: tuple[Path, Path]
) -> None:
    case, first = copied
    second = Case(tables[1], case.releases).train()
    assert second.version != first.version
    store = FolderReleases(case.releases)
    assert store.champion(NAME) == second.version
    assert set(store.versions(NAME)) == {first.version, second.version}
    client = registry(case)
    assert client.get_model_version_by_alias(NAME, "champion").version == int(second.model_version)
    assert client.get_model_version_by_alias(NAME, "previous").version == int(first.model_version)
    assert second.metrics["champion"]["may_have_seen"]
    assert next(g for g in second.gates if g.name == "min_profit_over_champion").value is not None


def test_a_refusing_gate_writes_nothing(tables: tuple[Path, Path], tmp_path: Path) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(CONTRACT_FILE.read_text().replace("min_auc = 0.75", "min_auc = 0.99"))
    case = Case(tables[0], tmp_path / "releases", strict)
    with pytest.raises(GateRefused, match=r"min_auc asks at least 0.99, reached 0\.\d+ on 5,000 rows \(0\.\d+ short\)"):
        case.train()
    assert not case.releases.exists()


@pytest.mark.parametrize("away", ["garbage", "folder"])
def test_without_a_registry_the_release_is_kept(tables: tuple[Path, Path], tmp_path: Path, away: str) -> None:
    case = Case(tables[0], tmp_path / "releases")
    database = case.releases / "mlflow.db"
    case.releases.mkdir()
    if away == "folder":
        database.mkdir()
    else:
        database.write_bytes(b"x" * 4096)
    result = case.train()
    assert (result.run_id, result.model_version) == ("", "")
    assert any(
        note.startswith("the release is kept, but not registered: the registry (MLflow)") for note in result.notes
    )
    assert load_champion(FolderReleases(case.releases), NAME, OnnxScorer).manifest.version == result.version


def test_a_locked_registry_is_away_too(copied: tuple[Case, TrainResult], tables: tuple[Path, Path]) -> None:
    case, _ = copied
    with sqlite3.connect(case.releases / "mlflow.db") as held:
        held.execute("BEGIN IMMEDIATE")
        result = Case(tables[1], case.releases).train()
        held.rollback()
    held.close()
    assert any("database is locked" in note for note in result.notes)
    assert FolderReleases(case.releases).champion(NAME) == result.version


def test_an_altered_release_is_not_crowned_again(copied: tuple[Case, TrainResult]) -> None:
    case, first = copied
    (case.releases / NAME / first.version / GOLDEN).write_bytes(b"{}")
    with pytest.raises(ReleaseError, match=r"the sha256 of golden.jsonl is not the manifest's.*remove its folder"):
        case.train()


def test_releases_where_a_file_stands(tables: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "releases").write_text("")
    with pytest.raises(ReleaseError, match=r"releases cannot be written to .*: File exists"):
        Case(tables[0], tmp_path / "releases").train()


def test_contracts_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read: No such file"):
        read_contract(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    with pytest.raises(ContractError, match=r"is not UTF-8 \(byte 6\)"):
        read_contract(tmp_path / "latin.toml")


def test_the_command_prints_json_for_scripts(
    copied: tuple[Case, TrainResult], capfd: pytest.CaptureFixture[str]
) -> None:
    case, first = copied
    words = ["--contract", case.contract, "--data", case.data, "--out", case.releases, "--seconds", "0", "--json"]
    assert run(["train", *map(str, words)]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["release"] == first.release
    assert Path(told["card"]).is_file()
    assert told["metrics"]["auc"] == first.metrics["auc"]


def test_the_command_shows_gates_card_and_the_next_step(
    copied: tuple[Case, TrainResult], capfd: pytest.CaptureFixture[str]
) -> None:
    case, first = copied
    words = ["--contract", case.contract, "--data", case.data, "--out", case.releases, "--seconds", "0"]
    assert run(["train", *map(str, words)]) == 0
    told = capfd.readouterr()
    for said in (
        "min_auc",
        "passed",
        f"{first.version}/card.html",
        "ebb up --release ",
        f"releases/{first.contract} --data",
    ):
        assert said in told.out
    assert "Search" in told.err


def test_the_command_refuses_in_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    none = tmp_path / "none.toml"
    assert run(["train", "--contract", str(none), "--data", str(none), "--out", str(tmp_path / "r")]) == 1
    told = capfd.readouterr()
    assert "cannot be read: No such file or directory" in told.err
    assert "Traceback" not in told.err
