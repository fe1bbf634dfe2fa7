"""Bad tables, budgets, disks and registries, as whoever types `ebb train` meets them: a sentence, and nothing half."""

import json
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from local.cli import run
from tests.integration.registry_case import nobody
from tests.integration.small_problem import BY_MOMENT, BY_TIME, NAME, PROTECTED, ROWS, columns, days, problem, refused

LARGE = 20_100
"""Rows from which on worker processes are used, and some."""


@pytest.fixture(autouse=True)
def away() -> Iterator[str]:
    """Lend a registry at which nobody listens: making one takes seconds."""
    with nobody() as address:
        yield address


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        output: dict[str, Any] = json.loads(capfd.readouterr().out)
        return output

    return read


def notes(told: Callable[[], dict[str, Any]]) -> str:
    return "\n".join(told()["notes"])


@pytest.mark.parametrize("kind", ["number", "category"])
def test_a_label_that_leaks_is_told(kind: str, tmp_path: Path, away: str, told: Callable[[], dict[str, Any]]) -> None:
    table = columns()
    leak = table["y"] + np.arange(ROWS) % 7 / 100
    table["b"] = leak
    features = ""
    if kind == "category":
        table = {**columns(), "left_by": [("door" if y else "") + str(i % 3) for i, y in enumerate(table["y"])]}
        features = '\n[[features]]\nname = "left_by"\nkind = "category"\n'
    assert problem(tmp_path, table, features=features).train("--mlflow", away, "--json") == 0
    column = "left_by" if kind == "category" else "b"
    assert f"warning: column '{column}' alone predicts the label (out-of-fold AUC 1.000); leak?" in notes(told)


def test_an_entity_that_stands_several_times_is_never_in_two_folds(
    tmp_path: Path, away: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its label follows its key and nothing else: whoever had seen the key would look perfect."""
    random = np.random.default_rng(1)
    entity = np.arange(ROWS) % 60
    marked = random.permutation(60).astype(float)[entity]
    table = columns(t=days(np.arange(ROWS) / 2), id=[f"e{i}" for i in entity], b=marked)
    table["y"] = random.integers(0, 2, 60)[entity]
    made = problem(tmp_path, table, top=BY_MOMENT)
    contract = tmp_path / "contract.toml"
    lenient = contract.read_text().replace("min_auc = 0.6", "min_auc = 0.5").replace("error = 0.3", "error = 1.0")
    contract.write_text(lenient)
    if made.train("--mlflow", away, "--json"):
        assert "min_auc asks at least 0.5, reached 0." in refused(capfd)
        return
    output = json.loads(capfd.readouterr().out)
    assert output["metrics"]["auc"] < 0.8
    assert "600 rows of 60 entities: none stands in two folds" in output["notes"]


def test_an_entity_may_stand_in_several_spans_of_time(
    tmp_path: Path, away: str, told: Callable[[], dict[str, Any]]
) -> None:
    table = columns(t=days(np.arange(ROWS) / 2), id=[f"e{i % 60}" for i in range(ROWS)])
    assert problem(tmp_path, table, top=BY_TIME).train("--mlflow", away, "--json") == 0
    said = notes(told)
    assert "600 rows of 60 entities: one may stand in several spans of time" in said
    assert "rows lie before the first span that is judged" in said


def test_keys_that_repeat_without_a_moment_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = problem(tmp_path, columns(id=[f"e{i // 2}" for i in range(ROWS)]))
    assert made.train() == 1
    assert "the key column 'id' repeats 300 keys" in refused(capfd)
    assert not made.releases.exists()


def test_a_protected_group_of_three_rows_is_named_and_not_judged(
    tmp_path: Path, away: str, told: Callable[[], dict[str, Any]]
) -> None:
    group = ["B" if i < 3 else "A" if i % 2 else "C" for i in range(ROWS)]
    assert problem(tmp_path, columns(g=group), features=PROTECTED).train("--mlflow", away, "--json") == 0
    output = told()
    assert any("is protected and has the group 'B' of 3 rows: too few to judge" in note for note in output["notes"])
    (fairness,) = output["metrics"]["fairness"]
    assert {group["name"] for group in fairness["groups"]} == {"A", "C"}


def test_rows_in_descending_order_of_time_train_as_in_ascending(
    tmp_path: Path, away: str, told: Callable[[], dict[str, Any]]
) -> None:
    table = columns(t=days(np.arange(ROWS) / 2))
    backwards = {name: values[::-1] for name, values in table.items() if name != "t"}
    found = []
    for name, made in (("up", table), ("down", {**backwards, "t": days(np.arange(ROWS)[::-1] / 2)})):
        assert problem(tmp_path / name, made, top=BY_TIME).train("--mlflow", away, "--json") == 0
        found.append(told()["metrics"])
    assert found[0]["auc"] == pytest.approx(found[1]["auc"], abs=1e-6)
    assert found[0]["log_loss"] == pytest.approx(found[1]["log_loss"], abs=1e-6)


@pytest.mark.parametrize(
    ("moments", "sentence"),
    [
        (np.linspace(0, 9_000, ROWS), "column 't' lies in the future in"),
        (np.zeros(ROWS), "the table spans 0 days and a label takes 30; bring a longer time"),
        (np.linspace(0, 20, ROWS), "the table spans 20 days and a label takes 30; bring a longer time"),
    ],
)
def test_moments_that_cannot_be_learned_from(
    moments: np.ndarray, sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = problem(tmp_path, columns(t=days(moments)), top=BY_TIME)
    assert made.train() == 1
    assert sentence in refused(capfd)
    assert not made.releases.exists()


def test_a_test_that_shares_entities_or_lies_before_the_training_is_no_test(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train = problem(tmp_path / "train", columns(t=days(np.arange(ROWS) / 2)), top=BY_MOMENT).folder
    test = problem(tmp_path / "test", columns(seed=1, t=days(np.arange(ROWS) / 4)), top=BY_MOMENT).folder
    words = ["validate", str(train / "data.parquet"), "--contract", str(train / "contract.toml"), "--json"]
    assert run([*words, "--test", str(test / "data.parquet")]) == 1
    said = capfd.readouterr().out
    assert "names entities that were trained on in 600 of 600 rows of the test" in said
    assert "runs backwards: the whole test lies before the end of the training" in said


def test_an_outcome_before_its_row_is_critical(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    moments = np.arange(ROWS) / 2
    folder = problem(tmp_path, columns(t=days(moments), left=days(moments - 5)), top=BY_MOMENT).folder
    words = ["validate", str(folder / "data.parquet"), "--contract", str(folder / "contract.toml"), "--json"]
    assert run([*words, "--outcome-time", "left"]) == 1
    assert "in 600 rows: the outcome was known when the features were" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        (np.ones(ROWS, int), "the label column 'y' is constant ('1'): there is nothing to learn"),
        ((np.arange(ROWS) < 6).astype(int), "has only 6 positive rows"),
        ((np.arange(ROWS) >= 6).astype(int), "has only 6 negative rows"),
    ],
)
def test_labels_that_nothing_can_be_learned_from(
    label: np.ndarray, sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = problem(tmp_path, columns(y=label))
    assert made.train() == 1
    assert sentence in refused(capfd)
    assert not made.releases.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--dollars", "1", "--price", "0"], "--price 0: must be above 0 dollars an hour"),
        (["--price", "0"], "--price 0: must be above 0 dollars an hour"),
        (["--price", "-1"], "--price -1: must be above 0 dollars an hour"),
        (["--price", "nan", "--dollars", "1"], "--price nan: must be a finite number"),
        (["--seconds", "inf"], "--seconds inf: must be a finite number"),
        (["--dollars", "inf"], "--dollars inf: must be a finite number"),
        (["--families", "forest"], "there is no family 'forest'"),
        (["--families", ","], "no family was named"),
    ],
)
def test_budgets_that_are_none(
    options: list[str], sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert problem(tmp_path, columns(20)).train(*options) == 2
    assert sentence in refused(capfd)


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        *((ROWS, options) for options in (["--seconds", "1"], ["--dollars", "0"], ["--trials", "1"])),
        *((LARGE, options) for options in (["--seconds", "0"], ["--seconds", "1"])),
    ],
)
def test_the_smallest_budgets_still_bring_a_release(
    rows: int, options: list[str], tmp_path: Path, away: str, told: Callable[[], dict[str, Any]]
) -> None:
    made = problem(tmp_path, columns(rows))
    assert made.train(*options, "--mlflow", away, "--json") == 0
    assert told()["metrics"]["search"]["states"]["complete"] >= 1
    assert load_champion(FolderReleases(made.releases), NAME, OnnxScorer).manifest.version


@contextmanager
def killing(most: int) -> Iterator[list[int]]:
    """Kill the workers of this process's searches as they appear, so many of them at most."""
    killed: list[int] = []
    over = threading.Event()

    def hunt() -> None:
        while not over.wait(0.01) and len(killed) < most:
            for child in psutil.Process().children():
                try:
                    if "training.search.worker" in child.cmdline() and child.pid not in killed and len(killed) < most:
                        child.kill()
                        killed.append(child.pid)
                except psutil.Error:
                    continue

    hunter = threading.Thread(target=hunt)
    hunter.start()
    try:
        yield killed
    finally:
        over.set()
        hunter.join()


def test_a_killed_worker_changes_nothing(tmp_path: Path, away: str, told: Callable[[], dict[str, Any]]) -> None:
    made = problem(tmp_path, columns(LARGE))
    assert made.train("--mlflow", away, "--json") == 0
    undisturbed = told()["release"]
    with killing(1) as killed:
        assert made.train("--mlflow", away, "--json") == 0
    assert len(killed) == 1
    assert told()["release"] == undisturbed


def test_a_search_whose_candidates_all_fail_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = problem(tmp_path, columns(LARGE))
    with killing(10_000):
        assert made.train() == 1
    sentence = refused(capfd)
    assert (
        "every candidate of the search failed, the first of them 'default' with its process ended with SIG" in sentence
    )
    assert not made.releases.exists()


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: what a full disk is to a writer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    made = problem(tmp_path, columns(LARGE))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    with small_files(100_000):
        assert made.train() == 1
    sentence = refused(capfd)
    assert f"the search's working files cannot be kept in {tmp_path / 'tmp'}: there is no room for it" in sentence
    assert not list((tmp_path / "tmp").glob("ebb-*"))
    assert not made.releases.exists()


def test_a_folder_for_temporary_files_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    made = problem(tmp_path, columns(LARGE))
    monkeypatch.setattr("training.search.workplace.tempfile.mkdtemp", _nowhere)
    assert made.train() == 1
    assert "the search's working files cannot be kept in " in refused(capfd)


def _nowhere(**_: str) -> str:
    raise FileNotFoundError(2, "No such file or directory")


@pytest.mark.parametrize("most", [20_000, 150_000])
def test_no_room_in_the_folder_that_keeps_the_search(
    most: int, tmp_path: Path, away: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither for its database, nor for its log-odds; with room again, the same command goes on."""
    monkeypatch.setattr("training.search.run.ROWS_WORTH_PROCESSES", 10 * LARGE)  # no files but the kept ones
    made = problem(tmp_path, columns(LARGE))
    resume = tmp_path / "search"
    with small_files(most):
        assert made.train("--resume", str(resume)) == 1
    assert f"{resume} cannot keep " in refused(capfd)
    assert not list(resume.glob("*.partial*"))
    assert not made.releases.exists()
    assert made.train("--resume", str(resume), "--mlflow", away) == 0


def test_no_room_for_the_release(tmp_path: Path, away: str, capfd: pytest.CaptureFixture[str]) -> None:
    made = problem(tmp_path, columns())
    with small_files(30_000):
        assert made.train("--mlflow", away) == 1
    assert "could not be written: File too large; nothing of it was kept" in refused(capfd)
    assert FolderReleases(made.releases).versions(NAME) == []
    assert not list(made.releases.rglob(".partial*"))


@contextmanager
def hanging() -> Iterator[str]:
    """Lend a registry that takes calls and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("how", ["closed", "hanging"])
def test_a_registry_that_is_away_is_made_up_for(
    how: str, tmp_path: Path, away: str, monkeypatch: pytest.MonkeyPatch, told: Callable[[], dict[str, Any]]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    made = problem(tmp_path, columns())
    with hanging() as address:
        assert made.train("--mlflow", address if how == "hanging" else away, "--json") == 0
    output = told()
    assert any("the release is kept, but not registered: the registry (MLflow) failed" in n for n in output["notes"])
    assert (output["role"], output["model_version"]) == ("champion", "")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    if how == "hanging":
        problem(tmp_path, columns(seed=2))
        assert made.train("--mlflow", address, "--json") == 0
        assert "registered now, after the registry was away: " + output["release"].partition("/")[2] in notes(told)
    else:
        assert run(["releases", "--releases", str(made.releases), "--sync", "--mlflow", address, "--json"]) == 0
        assert output["release"] in json.dumps(told())
    assert not list(made.releases.rglob("pending"))
