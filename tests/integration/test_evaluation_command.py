"""`ebb evaluate` as typed: a release on tables whose outcomes are known, and on some that are not."""

import json
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ebb.folder import FolderReleases
from local.cli import run
from tests.integration.training_case import Case, make_data

ROWS = 1_500
Shown = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A small release and the table that it learned from."""
    folder = tmp_path_factory.mktemp("evaluation")
    found = Case(make_data(folder, ROWS), folder / "releases")
    found.releases.mkdir()
    (found.releases / "mlflow.db").write_text("no database")  # the registry takes seconds, and is not needed here
    found.train()
    return found


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other customers of the same kind."""
    return make_data(tmp_path_factory.mktemp("later"), 600, seed=7)


def asked(case: Case, data: Path, *more: str) -> int:
    return run(["evaluate", "--release", str(case.releases), "--data", str(data), *more])


def test_the_figures_of_other_rows(case: Case, later: Path, capsys: Shown) -> None:
    assert asked(case, later, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    champion = FolderReleases(case.releases).champion("synthetic")
    assert told["release"] == f"synthetic/{champion}"
    assert (told["rows"], told["seen"]) == (600, False)
    for name, interval in told["intervals"].items():
        assert interval["low"] <= told[name] <= interval["high"]
    assert told["auc"] > 0.55
    assert told["money"]["best_profit"]["value"] >= told["profit"]
    assert told["robustness"]["rows"] == 600
    assert len(told["segments"]) > 10


def test_the_names_are_those_of_metrics_json(case: Case, later: Path, capsys: Shown) -> None:
    assert asked(case, later, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    store = FolderReleases(case.releases)
    metrics = json.loads(store.read("synthetic", store.champion("synthetic") or "")["metrics.json"])
    assert set(told) - set(metrics) == {"release", "seen"}
    assert metrics["leakage"]["entities_in_two_folds"] == 0
    assert metrics["robustness"]["strains"]
    assert metrics["reliability"]["before"]["error"]["value"] >= 0
    assert sum(single["importance"] for single in metrics["leakage"]["singles"]) <= 1


def test_tables_for_people_and_what_to_do_next(case: Case, later: Path, capsys: Shown) -> None:
    assert asked(case, later) == 0
    shown = capsys.readouterr().out
    for said in ("600 rows of 600 entities", "AUC", "is chance", "Profit an entity", "everyone", "Segments", "Next:"):
        assert said in shown
    assert "Groups of" in shown
    assert "demographic parity gap" in shown
    assert "missing or shifted" in shown


def test_rows_that_it_learned_from_are_said_to_flatter(case: Case, capsys: Shown) -> None:
    assert asked(case, case.data, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seen"]
    assert "flatter" in " ".join(told["notes"])


def test_outcomes_of_one_class_are_refused(case: Case, later: Path, tmp_path: Path, capsys: Shown) -> None:
    rows, table = pq.read_table(later), tmp_path / "one.parquet"
    pq.write_table(rows.filter(pc.equal(pc.cast(rows["churned"], "string"), "false")), table)
    assert asked(case, table) == 1
    assert "is constant" in capsys.readouterr().err


def test_a_table_without_outcomes_is_refused(case: Case, later: Path, tmp_path: Path, capsys: Shown) -> None:
    table = tmp_path / "none.parquet"
    pq.write_table(pq.read_table(later).drop_columns(["churned"]), table)
    assert asked(case, table) == 1
    assert "churned" in capsys.readouterr().err


def test_no_release_says_what_to_do(tmp_path: Path, later: Path, capsys: Shown) -> None:
    assert run(["evaluate", "--release", str(tmp_path), "--data", str(later)]) != 0
    assert "ebb train" in capsys.readouterr().err


def test_nothing_is_written(case: Case, later: Path) -> None:
    before = sorted(str(p) for p in case.releases.rglob("*"))
    assert asked(case, later, "--json") == 0
    assert sorted(str(p) for p in case.releases.rglob("*")) == before
