"""What is known of a run: written whole, read back, and never better than the truth."""

import os
from pathlib import Path

import pytest

from ebb.errors import Misuse, Unavailable
from local.jobs.executor import stop
from local.jobs.status import (
    JobFailed,
    JobStatus,
    ask_to_stop,
    asked_to_stop,
    describe,
    refuse_failed,
    write_status,
)
from local.servers.process_id import ProcessId

GONE = ProcessId(2**22 + 1, 0)
"""Linux gives no process such a pid."""


def status(executor: ProcessId | None = None, **more: object) -> JobStatus:
    """Return a run that this process executes."""
    own = ProcessId.of(os.getpid())
    told = {"name": "one", "job": "train", "status": "InProgress", "secondary": "Training", "started_at": "now"}
    return JobStatus.model_validate({**told, "executor": executor or own, **more})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one").mkdir()
    return tmp_path


def test_it_is_read_back(folder: Path) -> None:
    write_status(folder, status(exit_code=3))
    assert describe(folder, "one") == status(exit_code=3)
    assert [path.name for path in (folder / "one").iterdir()] == ["status.json"]


def test_a_run_whose_executor_is_gone_has_failed(folder: Path) -> None:
    write_status(folder, status(GONE))
    found = describe(folder, "one")
    assert (found.status, found.over) == ("Failed", True)
    assert found.failure_reason.startswith("the executor ended before the job did")
    with pytest.raises(JobFailed, match="the job one failed: the executor ended"):
        refuse_failed(found)


def test_what_is_over_stays_as_it_was_when_the_executor_is_gone(folder: Path) -> None:
    write_status(folder, status(GONE, status="Completed", secondary="Completed"))
    found = describe(folder, "one")
    assert (found.status, found.told) == ("Completed", "Completed")
    refuse_failed(found)


def test_an_unknown_run_is_refused_with_those_there_are(folder: Path) -> None:
    with pytest.raises(Misuse, match="there is no job 'two' here: the latest are none yet"):
        describe(folder, "two")
    write_status(folder, status())
    with pytest.raises(Misuse, match="there is no job 'two' here: the latest are one"):
        describe(folder, "two")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"name": "one"}'])
def test_a_damaged_status_is_told(folder: Path, content: str) -> None:
    (folder / "one" / "status.json").write_text(content)
    with pytest.raises(Unavailable, match="the status of the job 'one' cannot be read"):
        describe(folder, "one")


def test_a_stop_is_asked_for_only_while_it_runs(folder: Path) -> None:
    write_status(folder, status(status="Completed", secondary="Completed"))
    assert stop(folder, "one").over
    assert not asked_to_stop(folder, "one")
    write_status(folder, status())
    assert not stop(folder, "one").over
    assert asked_to_stop(folder, "one")
    ask_to_stop(folder, "one")


def test_people_are_told_more_where_there_is_more(folder: Path) -> None:
    assert folder.is_dir()
    assert status(status="Stopped", secondary="MaxRuntimeExceeded").told == "Stopped (MaxRuntimeExceeded)"
