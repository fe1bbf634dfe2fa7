"""The folder that stands for /opt/ml, the variables, the uploaded results and the log, each by itself."""

import json
import tarfile
from pathlib import Path

import pytest

from ebb.errors import Misuse, Unavailable
from local.jobs.log_lines import LogLines
from local.jobs.request import JobRequest, unique_name
from local.jobs.tree import arguments, channel, make_tree, results, variables
from local.jobs.upload import MODEL, OUTPUT, upload
from training.jobs.container import read_container
from training.jobs.table import job_named


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A contract, a table, and a folder of two tables."""
    found = {"contract": tmp_path / "c.toml", "table": tmp_path / "t.csv", "folder": tmp_path / "many"}
    (found["folder"] / "deep").mkdir(parents=True)
    for path in (found["contract"], found["table"], found["folder"] / "t.csv", found["folder"] / "deep" / "u.csv"):
        path.write_text(path.name)
    return found


def training(tmp_path: Path, files: dict[str, Path], **more: str) -> JobRequest:
    """Return a training of the files."""
    inputs = {"contract": [files["contract"]], "train": [files["table"]]}
    return JobRequest("one", job_named("train"), inputs, tmp_path / "out", parameters=more)


def test_the_tree_is_read_back_as_it_was_asked_for(tmp_path: Path, files: dict[str, Path]) -> None:
    request, root = training(tmp_path, files, seconds="60"), tmp_path / "one" / "ml"
    make_tree(request, root)
    container = read_container(request.job, arguments(request)[1:], variables(request, root))
    assert container.name == "one"
    assert container.parameters == {"seconds": "60"}
    assert (container.channels["train"] / "t.csv").read_text() == "t.csv"
    assert (container.model, container.results) == (root / "model", results(request, root))
    assert container.checkpoints.is_dir()


def test_a_processing_is_read_back_too(tmp_path: Path, files: dict[str, Path]) -> None:
    inputs = {"contract": [files["contract"]], "events": [files["folder"]]}
    request = JobRequest("two", job_named("features"), inputs, tmp_path / "out", parameters={"at": "latest"})
    root = tmp_path / "two" / "ml"
    make_tree(request, root)
    container = read_container(request.job, arguments(request)[1:], variables(request, root))
    assert (container.name, container.parameters) == ("two", {"at": "latest"})
    assert (container.channels["events"] / "deep" / "u.csv").is_file()
    assert container.results == root / "processing" / "output"


def test_the_training_toolkit_s_variables_are_there(tmp_path: Path, files: dict[str, Path]) -> None:
    request = training(tmp_path, files, seconds="60")
    told = variables(request, tmp_path / "ml")
    assert json.loads(told["SM_HPS"]) == {"seconds": "60"}
    assert json.loads(told["SM_CHANNELS"]) == ["contract", "train"]
    assert told["SM_CHANNEL_TRAIN"] == str(channel(request, tmp_path / "ml", "train"))
    assert told["SM_HP_SECONDS"] == "60"
    assert int(told["SM_NUM_CPUS"]) > 0
    assert told["TRAINING_JOB_NAME"] == "one"


def test_nothing_of_the_caller_s_environment_leaks(
    tmp_path: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    assert "mine" not in variables(training(tmp_path, files), tmp_path).values()


def test_a_second_tree_has_the_checkpoints_and_nothing_else_of_the_first(
    tmp_path: Path, files: dict[str, Path]
) -> None:
    request, root = training(tmp_path, files), tmp_path / "one" / "ml"
    make_tree(request, root)
    (root / "checkpoints" / "trial").write_text("1")
    (root / "model" / "half").write_text("x")
    make_tree(request, root)
    assert (root / "checkpoints" / "trial").read_text() == "1"
    assert list((root / "model").iterdir()) == []
    assert files["table"].read_text() == "t.csv"


def test_two_files_of_one_name_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    inputs = {"contract": [files["contract"]], "train": [files["table"], files["folder"]]}
    with pytest.raises(Misuse, match="the input 'train' has two files of one name"):
        make_tree(JobRequest("one", job_named("train"), inputs, tmp_path), tmp_path / "ml")


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "../a", "a" * 65, "a b"])
def test_a_name_that_sagemaker_would_refuse_is_refused(tmp_path: Path, files: dict[str, Path], name: str) -> None:
    request = training(tmp_path, files)
    with pytest.raises(Misuse, match="cannot name a job"):
        JobRequest(name, request.job, request.inputs, request.target).check()


def test_names_are_of_the_job_and_the_moment(tmp_path: Path, files: dict[str, Path]) -> None:
    request = training(tmp_path, files)
    name = unique_name("train")
    assert name.startswith("ebb-train-20")
    JobRequest(name, request.job, request.inputs, request.target).check()


def test_an_input_that_is_not_there_is_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    inputs = {"contract": [files["contract"]], "train": [tmp_path / "none.csv"]}
    with pytest.raises(Misuse, match="the input 'train': there is no "):
        JobRequest("one", job_named("train"), inputs, tmp_path).check()


def test_results_of_a_training_are_two_archives(tmp_path: Path, files: dict[str, Path]) -> None:
    request, root = training(tmp_path, files), tmp_path / "one" / "ml"
    make_tree(request, root)
    (root / "model" / "tiny").mkdir()
    (root / "model" / "tiny" / "champion").write_text("x")
    (root / "model" / ".partial-1").write_text("x")
    place = upload(request, root)
    assert place == tmp_path / "out" / "one" / "output"
    with tarfile.open(place / MODEL) as file:
        assert file.getnames() == ["tiny", "tiny/champion"]
    assert not (place / OUTPUT).exists()


def test_results_that_cannot_be_written_leave_nothing(tmp_path: Path, files: dict[str, Path]) -> None:
    request, root = training(tmp_path, files), tmp_path / "one" / "ml"
    make_tree(request, root)
    (tmp_path / "out" / "one" / "output").mkdir(parents=True)
    (tmp_path / "out" / "one" / "output" / "of-another").write_text("x")
    with pytest.raises(Unavailable, match="nothing was kept"):
        upload(request, root)
    assert [path.name for path in (tmp_path / "out" / "one").iterdir()] == ["output"]
    assert [path.name for path in (tmp_path / "out" / "one" / "output").iterdir()] == ["of-another"]


def test_lines_come_whole_and_once(tmp_path: Path) -> None:
    heard: list[str] = []
    log = tmp_path / "log"
    lines = LogLines(log, heard.append)
    lines.follow()
    log.write_bytes(b"one\ntw")
    lines.follow()
    assert heard == ["one"]
    with log.open("ab") as file:
        file.write(b"o\nthree \xff")
    lines.follow()
    lines.follow()
    assert heard == ["one", "two"]
    lines.follow(last=True)
    assert heard == ["one", "two", "three \ufffd"]
