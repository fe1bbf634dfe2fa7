"""`ebb job run --local` as it is typed: a result, its place, and every mistake in one sentence."""

import json
from pathlib import Path

import pytest

from local.cli import run as ebb
from tests.fakes.shop import rows_of, write_events, write_shop
from tests.unit.test_events_build import EVENTS


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shop's contract and events, in which `ebb` is typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EBB_HOME", str(tmp_path / "home"))
    (tmp_path / "shop").mkdir()
    write_shop(tmp_path / "shop")
    write_events(tmp_path / "events.parquet", EVENTS)
    return tmp_path


FEATURES = ["job", "run", "features", "--local", "--input", "contract=shop", "--input", "events=events.parquet"]


def test_features_as_typed(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ebb([*FEATURES, "--set", "at=2024-03-10", "--job-name", "one", "--out", "results"]) == 0
    told = capfd.readouterr()
    assert "Job one" in told.out
    assert "Completed" in told.out
    assert "job features: done" in told.err
    assert rows_of(shop / "results" / "one" / "output" / "features.parquet")


def test_features_for_scripts(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ebb([*FEATURES, "--set", "at=2024-03-10", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["status"], told["exit_code"]) == ("Completed", 0)
    assert Path(told["output"]).is_relative_to(shop / "jobs")
    assert (Path(told["output"]) / "result.json").is_file()


def test_an_interruption_is_told(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ebb([*FEATURES, "--set", "at=2024-03-10", "--interrupt-after", "0", "--job-name", "one"]) == 0
    assert "interruptions  1, each gone on from the checkpoints" in capfd.readouterr().out
    assert rows_of(shop / "jobs" / "one" / "output" / "features.parquet")


def test_one_input_of_several_files(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = [word for path in sorted((shop / "shop").iterdir()) for word in ("--input", f"contract={path}")]
    words = ["job", "run", "features", "--local", *files, "--input", "events=events.parquet", "--set", "at=latest"]
    assert ebb(words) == 0, capfd.readouterr().err


def test_a_failed_job_is_its_sentence(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (shop / "events.parquet").write_bytes(b"none")
    assert ebb([*FEATURES, "--set", "at=latest", "--job-name", "one"]) == 1
    said = capfd.readouterr().err
    assert "ebb: the job one failed: AlgorithmError: " in said
    assert "exit code: 1" in said
    assert "Traceback" not in said
    assert not (shop / "jobs").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["features"], "say either --local or --sagemaker"),
        (["features", "--local", "--sagemaker"], "say either --local or --sagemaker"),
        (["featurs", "--local"], "there is no job 'featurs': choose one of features, validate"),
        (["train", "--local", "--input", "contract=shop"], "the job 'train' needs the input 'train'"),
        (["train", "--local", "--input", "contract"], "--input contract: must read NAME=VALUE"),
        ([*FEATURES[2:], "--set", "at=1", "--set", "at=2"], "--set at=... is given twice"),
        ([*FEATURES[2:], "--set", "month=1"], "the job 'features' knows no parameter 'month'"),
        ([*FEATURES[2:], "--input", "events=none"], "the input 'events': there is no none"),
        ([*FEATURES[2:], "--job-name", "a_b"], "'a_b' cannot name a job"),
        (["features", "--sagemaker"], "SageMaker cannot be asked: role: Field required (in the options)"),
        (["features", "--sagemaker", "--config", "none.toml"], "none.toml cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(
    shop: Path, capfd: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert ebb(["job", "run", *words]) == 2
    said = capfd.readouterr().err
    assert sentence in said
    assert not (shop / "home" / "jobs").exists()


def test_stopping_what_is_not_there_is_one_sentence(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ebb(["job", "stop", "none"]) == 2
    assert "there is no job 'none' here" in capfd.readouterr().err
    assert not (shop / "home").exists()
