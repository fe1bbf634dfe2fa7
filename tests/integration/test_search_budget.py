"""A table on which one fit takes longer than the whole budget: from the search to the release and its card."""

import json

import numpy as np
import pytest

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion, load_release
from tests.fakes.searched import searched
from tests.integration.small_problem import BY_TIME, NAME, Problem, columns, days, problem
from training.fit import Coded
from training.search import SHIPPED, Budget, plan

ROWS, COLUMNS = 300_000, 20


def test_300_000_rows_in_5_seconds_take_the_least_of_them() -> None:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    labels = (numbers[:, 0] + random.normal(size=ROWS) > 1).astype(np.int8)
    rows = Coded(numbers, np.empty((ROWS, 0), np.int32), ())
    found = searched(rows, labels, SHIPPED, budget=Budget(seconds=5.0, workers=2))
    assert found.folds.count < found.folds.of == 5
    assert 100_000 <= int(found.folds.used.sum()) < ROWS
    assert found.best.state == "complete"
    assert found.best.auc > 0.7
    assert int(found.folds.held.sum()) >= 20_000


@pytest.fixture(scope="module", params=["stratified", "temporal"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Problem:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "stratified":
        return problem(folder, columns(4_000))
    moments = days(np.sort(np.random.default_rng(1).random(4_000)) * 400)
    return problem(folder, columns(4_000, t=moments), top=BY_TIME)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_release_says_what_was_given_up(
    made: Problem, workers: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan, "LARGE_CELLS", 1)
    monkeypatch.setattr(plan, "_LEAST_ROWS", 1_000)
    monkeypatch.setattr(plan, "_JUDGING", 20)
    assert made.train("--seconds", "0", "--workers", workers, "--cheap", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    search = told["metrics"]["search"]
    assert search["folds"]["count"] == int(workers) < search["folds"]["of"]
    assert search["rows"] == {"used": 1_000, "of": 4_000}
    said = f"only {workers} of {search['folds']['of']} folds judge"
    assert any(said in note and "learned from 1,000 of 4,000 rows" in note for note in told["notes"])
    store = FolderReleases(made.releases)
    reference = json.loads(store.read(NAME, store.champion(NAME) or "")["reference.json"])
    assert reference["rows"] == 1_000, "what was left out is no reference either"
    champion = load_champion(store, NAME, OnnxScorer).manifest.version
    assert said in store.read(NAME, champion)["card.html"].decode()
    assert told["metrics"]["rows"] < 4_000
    cheap = told["cheap"]
    assert cheap == store.cheap(NAME)
    load_release(store, NAME, cheap, OnnxScorer)
    assert json.loads(store.read(NAME, cheap)["metrics.json"])["search"]["folds"] == search["folds"]


def test_the_same_table_by_trials_gives_up_nothing(made: Problem, capsys: pytest.CaptureFixture[str]) -> None:
    assert made.train("--trials", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["search"]["given_up"] == ""
    assert not any("too short" in note for note in told["notes"])
