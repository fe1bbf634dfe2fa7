"""Jobs that are stopped, interrupted, overrun or left alone by their executor: nothing runs on, and nothing is lost."""

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ebb.folder import FolderReleases
from local.cli import run as ebb
from local.jobs.executor import describe, stop
from local.jobs.run import JobRun
from local.jobs.status import JobStatus
from tests.fakes.shop import write_events, write_shop
from tests.integration.jobs_case import DEADLINE, Jobs, processes_about, training_inputs, typed, unpacked
from tests.integration.training_case import CONTRACT, eventually, make_data
from tests.unit.test_events_build import EVENTS

pytestmark = pytest.mark.timeout(400)
ENDLESS = {"seconds": "3600", "workers": "1"}
ONE_WORKER = {"workers": "1"}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("table"), 1_500)


@pytest.fixture(scope="module")
def uninterrupted(table: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the version that the training makes when nothing happens to it."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    status = Jobs(folder).run("train", training_inputs(table), **ONE_WORKER)
    return version_of(status, folder / "unpacked")


def version_of(status: JobStatus, folder: Path) -> str:
    """Return the champion of a run's archive."""
    assert status.status == "Completed", status.failure_reason
    version = FolderReleases(unpacked(status, folder)).champion("synthetic")
    assert version is not None
    return version


def has_a_trial(checkpoints: Path) -> bool:
    """Say whether the search has kept its first trial."""
    return any(checkpoints.glob("raw-*.npy"))


def test_an_interrupted_search_goes_on_and_ends_in_the_same_release(
    table: Path, uninterrupted: str, tmp_path: Path
) -> None:
    jobs, checkpoints = Jobs(tmp_path), tmp_path / "checkpoints"
    request = jobs.request("train", training_inputs(table), ONE_WORKER, checkpoints=checkpoints)
    started = jobs.start(request)
    eventually(lambda: has_a_trial(checkpoints), "the first trial", DEADLINE)
    started.interrupt()
    status = started.wait(DEADLINE)
    assert status.interruptions == 1
    assert version_of(status, tmp_path / "unpacked") == uninterrupted
    log = jobs.log(status)
    assert log.count("job train " + request.name) == 2
    assert "ended by a signal; what the checkpoints hold is kept" in log
    assert "failed:" not in log


def test_a_stopped_search_is_taken_up_by_the_next_job(table: Path, uninterrupted: str, tmp_path: Path) -> None:
    jobs, checkpoints = Jobs(tmp_path), tmp_path / "checkpoints"
    first = jobs.start(jobs.request("train", training_inputs(table), ONE_WORKER, checkpoints=checkpoints))
    eventually(lambda: has_a_trial(checkpoints), "the first trial", DEADLINE)
    assert stop(jobs.runs, first.name).status == "InProgress"
    stopped = first.wait(DEADLINE)
    assert (stopped.status, stopped.secondary, stopped.exit_code) == ("Stopped", "Stopped", 143)
    assert stopped.failure_reason == ""
    assert stop(jobs.runs, first.name) == stopped
    second = jobs.start(jobs.request("train", training_inputs(table), ONE_WORKER, checkpoints=checkpoints))
    status = second.wait(DEADLINE)
    assert version_of(status, tmp_path / "unpacked") == uninterrupted


def test_a_job_that_takes_too_long_is_ended_also_when_it_does_not_listen(table: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    request = jobs.request("train", training_inputs(table), ENDLESS, grace=0.0, longest=0.2)
    status = jobs.start(request).wait(DEADLINE)
    assert (status.status, status.secondary) == ("Stopped", "MaxRuntimeExceeded")
    assert status.exit_code is not None
    assert status.exit_code < 0
    assert processes_about(str(jobs.runs / request.name)) == set()


@pytest.fixture
def shop(tmp_path: Path) -> dict[str, Path]:
    """Return the inputs of the job `features`."""
    (tmp_path / "shop").mkdir()
    write_shop(tmp_path / "shop")
    return {"contract": tmp_path / "shop", "events": write_events(tmp_path / "events.parquet", EVENTS)}


def test_a_stopped_processing_leaves_no_half_result(shop: dict[str, Path], tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    status = jobs.start(jobs.request("features", shop, {"at": "latest"}, longest=0.01)).wait(DEADLINE)
    assert (status.status, status.secondary, status.output) == ("Stopped", "MaxRuntimeExceeded", "")
    assert not (tmp_path / "results").exists()


def test_results_that_have_no_place_fail_the_job_in_a_sentence(shop: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where the folder belongs")
    status = Jobs(tmp_path).run("features", shop, at="2024-03-10")
    assert (status.status, status.output) == ("Failed", "")
    assert status.failure_reason.startswith("ClientError: the results could not be written to ")
    assert (tmp_path / "results").read_text() == "a file where the folder belongs"


def test_inputs_that_collide_fail_the_job_in_a_sentence(shop: dict[str, Path], tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    twice = {"contract": [shop["contract"]] * 2, "events": [shop["events"]]}
    request = replace(jobs.request("features", shop, {}), inputs=twice)
    status = jobs.start(request).wait(DEADLINE)
    assert status.failure_reason.startswith("ClientError: the input 'contract' has two files of one name")


def test_a_listener_that_fails_ends_the_job_with_it(shop: dict[str, Path], tmp_path: Path) -> None:
    def listen(_line: str) -> None:
        raise RuntimeError

    jobs = Jobs(tmp_path)
    run = JobRun(jobs.runs, jobs.request("features", shop, {"at": "2024-03-10"}), listen)
    run.prepare()
    with pytest.raises(RuntimeError):
        run.run()
    assert describe(jobs.runs, run.status.name).failure_reason == "InternalServerError: RuntimeError"
    assert processes_about(str(jobs.runs / run.status.name)) == set()


def test_two_jobs_of_one_folder_do_not_know_each_other(table: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    searching = threading.Event()
    first = jobs.start(
        jobs.request("train", training_inputs(table), ENDLESS),
        lambda line: searching.set() if line.startswith("Search") else None,
    )
    second = jobs.run("validate", {"contract": CONTRACT, "data": table})
    assert second.status == "Completed", second.failure_reason
    assert searching.wait(DEADLINE)
    assert describe(jobs.runs, first.name).status == "InProgress"
    stop(jobs.runs, first.name)
    assert first.wait(DEADLINE).status == "Stopped"


def command(table: Path, folder: Path) -> list[str]:
    """Return the words of an endless job as it is typed."""
    inputs = [word for name, path in training_inputs(table).items() for word in ("--input", f"{name}={path}")]
    told = [word for name, value in ENDLESS.items() for word in ("--set", f"{name}={value}")]
    return ["job", "run", "train", "--local", "--job-name", "typed", "--out", str(folder / "out"), *inputs, *told]


def is_searching(home: Path) -> bool:
    """Say whether the typed job has come to its search."""
    log = home / "jobs" / "typed" / "log"
    return log.exists() and "Search" in log.read_text()


def test_a_killed_executor_leaves_nothing_running(table: Path, tmp_path: Path) -> None:
    home, root = tmp_path / "home", str(tmp_path / "home" / "jobs" / "typed" / "ml")
    with typed(home, *command(table, tmp_path)) as process:
        eventually(lambda: is_searching(home), "the search", DEADLINE)
        assert processes_about(root)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(DEADLINE)
        eventually(lambda: not processes_about(root), "the end of the job's processes")
    status = describe(home / "jobs", "typed")
    assert status.status == "Failed"
    assert "its checkpoints are kept" in status.failure_reason
    assert not (tmp_path / "out").exists()


def test_ctrl_c_ends_the_job_and_says_so(table: Path, tmp_path: Path) -> None:
    home, root = tmp_path / "home", str(tmp_path / "home" / "jobs" / "typed" / "ml")
    with typed(home, *command(table, tmp_path)) as process:
        eventually(lambda: is_searching(home), "the search", DEADLINE)
        os.kill(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=DEADLINE)
        assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert describe(home / "jobs", "typed").status == "Stopped"
    assert processes_about(root) == set()


def test_a_job_is_stopped_as_it_is_typed(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("EBB_HOME", str(home))
    with typed(home, *command(table, tmp_path)) as process:
        eventually(lambda: is_searching(home), "the search", DEADLINE)
        assert ebb(["job", "run", "train", "--local", *command(table, tmp_path)[4:]]) == 2
        assert "there is a job 'typed' already" in capfd.readouterr().err
        assert ebb(["job", "stop", "typed"]) == 0
        assert "typed was asked to stop" in capfd.readouterr().out
        said, _ = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, said
    assert "Stopped" in said
    assert ebb(["job", "stop", "typed", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["status"] == "Stopped"
    assert ebb(["job", "stop", "typed"]) == 0
    assert "typed is over already: Stopped" in capfd.readouterr().out
