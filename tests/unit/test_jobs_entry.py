"""The entry of the image: a result or one sentence, and never a value of anybody's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ebb.errors import DataError
from tests.fakes.shop import CONTRACT, write_events, write_shop
from tests.unit.test_events_build import EVENTS
from training.jobs.__main__ import FAILED, main, reason_of
from training.jobs.container import ROOT
from training.jobs.lines import Lines


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A processing container with the shop's contract and events."""
    inputs = tmp_path / "processing" / "input"
    for name in ("contract", "events"):
        (inputs / name).mkdir(parents=True)
    write_shop(inputs / "contract")
    write_events(inputs / "events" / "events.parquet", EVENTS)
    return tmp_path


def failure(root: Path) -> str:
    """Return what SageMaker would show, which is one sentence in one line."""
    said = (root / "output" / "failure").read_text()
    assert (root / "output" / "message").read_text() == said
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def test_a_job_leaves_its_results_and_says_how_far_it_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "--at", "2024-03-10", "--labelled", "true"], {ROOT: str(root)}) == 0
    out = root / "processing" / "output"
    told = json.loads((out / "result.json").read_text())
    assert told["job"] == "features"
    assert told["rows"] > 0
    assert (out / told["table"]).is_file()
    assert not (root / "output" / "failure").exists()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("job features")
    assert lines[-1] == "job features: done"
    assert any(line.startswith("Build features from events: done in") for line in lines)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "say which job to run: features, validate, train, evaluate, batch"),
        (["featurs"], "there is no job 'featurs': choose one of features, validate, train, evaluate, batch"),
        (["features", "--at", "latest", "--labelled", "perhaps"], "the parameter 'labelled' must be true or false"),
        (["features", "--month", "1"], "the job 'features' knows no parameter 'month'"),
        (["train"], "the job 'train' needs the input 'contract'"),
    ],
)
def test_what_is_wrong_is_one_sentence_in_the_failure_file(root: Path, words: list[str], sentence: str) -> None:
    assert main(words, {ROOT: str(root)}) == FAILED
    assert failure(root).startswith(sentence)
    assert not (root / "processing" / "output" / "result.json").exists()


def test_bad_events_fail_with_their_own_sentence(root: Path) -> None:
    (root / "processing" / "input" / "events" / "events.parquet").write_bytes(b"none")
    assert main(["features"], {ROOT: str(root)}) == FAILED
    assert failure(root)


def test_a_critical_finding_fails_and_the_findings_are_kept(tmp_path: Path) -> None:
    inputs = tmp_path / "processing" / "input"
    for name in ("contract", "data"):
        (inputs / name).mkdir(parents=True)
    write_shop(inputs / "contract", contract=CONTRACT)
    rows = [f"c{i},2024-03-10,{i % 7},,{i % 9}.5,Ghent,{'true' if i < 3 else 'false'}" for i in range(200)]
    header = "customer,snapshot_time,visits,returned,days_since,city,gone"
    (inputs / "data" / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    assert main(["validate"], {ROOT: str(tmp_path)}) == FAILED
    assert "column 'gone' has only 3 positive rows" in failure(tmp_path)
    findings = json.loads((tmp_path / "processing" / "output" / "findings.json").read_text())
    assert findings[0]["severity"] == "critical"


def test_an_unforeseen_error_tells_its_place_and_not_its_text() -> None:
    secret = "alice@example.org"
    with pytest.raises(ValueError, match=secret) as raised:
        int(secret)
    said = reason_of(raised.value)
    assert secret not in said
    assert said.startswith("the job failed unexpectedly (ValueError in test_jobs_entry.py, line ")


def test_errors_of_ours_and_of_the_system_are_sentences() -> None:
    assert reason_of(DataError("two\nlines")) == "two lines"
    assert reason_of(FileNotFoundError(2, "No such file", "x.csv")) == "No such file: x.csv"


def test_a_failure_where_a_file_stands_is_told_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "output").write_text("")
    assert main(["none"], {ROOT: str(tmp_path)}) == FAILED
    said = capsys.readouterr().out
    assert "failed: there is no job 'none'" in said
    assert "the reason could not be written" in said


def test_a_long_reason_is_cut_to_what_sagemaker_shows(tmp_path: Path) -> None:
    assert main(["x" * 5000], {ROOT: str(tmp_path)}) == FAILED
    assert len(failure(tmp_path)) == 1024


def test_a_step_of_nothing_is_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with Lines().step("Wait", 0) as advance:
        advance(1)
    assert capsys.readouterr().out.splitlines()[0] == "Wait ..."


SWALLOWED = """
import os, signal, sys
import training.jobs.features
from training.jobs.__main__ import enter

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()

def swallow(advance):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    except:
        pass

def fail(advance):
    swallow(advance)
    raise ValueError("cut in the middle")

def run(container, progress):
    with progress.step("Look", 2) as advance:
        {inside}
    print("went on")
    return {{}}

training.jobs.features.run = run
sys.argv = ["jobs", "features"]
enter()
"""


@pytest.mark.parametrize(
    "inside", ["swallow(advance)", "Finalized()", "swallow(advance); advance(1); print('went on')", "fail(advance)"]
)
def test_a_stop_that_a_library_swallows_is_heard_at_the_next_step(root: Path, inside: str) -> None:
    program, environment = SWALLOWED.format(inside=inside), {**os.environ, ROOT: str(root)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert done.returncode == 143, done.stderr
    assert "went on" not in done.stdout
    assert done.stdout.endswith("ended by a signal; what the checkpoints hold is kept\n")
    assert done.stderr == ""
    assert not (root / "output" / "failure").exists()
