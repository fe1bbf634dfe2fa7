"""What is known of a run: `status.json` in its folder, in SageMaker's words."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ebb.errors import EbbError, Misuse, Unavailable
from ebb.synced import replaced
from local.servers.process_id import ProcessId

_FILE, _STOP = "status.json", "stop"
Status = Literal["InProgress", "Stopping", "Stopped", "Completed", "Failed"]
OVER = frozenset({"Stopped", "Completed", "Failed"})
_GONE = "the executor ended before the job did; its checkpoints are kept, so run it again with them"


class JobStatus(BaseModel):
    """One run.

    Attributes:
        name: of the run.
        job: what is run.
        status: as SageMaker's TrainingJobStatus and ProcessingJobStatus.
        secondary: more exactly: Starting, Training, Interrupted, Restarting, Uploading, MaxRuntimeExceeded, ...
        failure_reason: why it failed; empty where it did not.
        exit_code: of its last process, negative for a signal; None while there is none.
        interruptions: how often it was interrupted and started again.
        output: where its results lie; empty until they do.
        executor: the process that runs it.
        started_at: ISO 8601 in UTC.
        ended_at: likewise; empty until it is over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    job: str
    status: Status
    secondary: str
    executor: ProcessId
    started_at: str
    ended_at: str = ""
    failure_reason: str = ""
    exit_code: int | None = None
    interruptions: int = 0
    output: str = ""

    @property
    def told(self) -> str:
        """The status for people."""
        return self.status if self.status == self.secondary else f"{self.status} ({self.secondary})"

    @property
    def over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.status in OVER


def describe(folder: Path, name: str) -> JobStatus:
    """Return what is known of a run; one whose executor is gone has failed.

    Args:
        folder: of all runs.
        name: of the run.

    Raises:
        Misuse: there is no such run.
        Unavailable: its status cannot be read.
    """
    try:
        status = JobStatus.model_validate_json((folder / name / _FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        known = ", ".join(sorted(path.parent.name for path in folder.glob(f"*/{_FILE}"))[-5:]) or "none yet"
        raise Misuse(f"there is no job {name!r} here: the latest are {known}") from None
    except (OSError, ValidationError) as error:
        raise Unavailable(f"the status of the job {name!r} cannot be read ({type(error).__name__})") from None
    if not status.over and not status.executor.alive():
        return status.model_copy(update={"status": "Failed", "secondary": "Failed", "failure_reason": _GONE})
    return status


class JobFailed(EbbError):
    """A job failed; its status says why."""


def refuse_failed(status: JobStatus) -> None:
    """Make an error of a run that failed.

    Raises:
        JobFailed: with the reason.
    """
    if status.status == "Failed":
        raise JobFailed(f"the job {status.name} failed: {status.failure_reason}")


def write_status(folder: Path, status: JobStatus) -> None:
    """Replace the status of a run.

    Raises:
        OSError: the disk refuses.
    """
    with replaced(folder / status.name / _FILE, 0o600) as partial:
        partial.write_text(status.model_dump_json(indent=2))


def ask_to_stop(folder: Path, name: str) -> None:
    """Ask whoever runs it to stop a run; what is over stays as it is."""
    (folder / name / _STOP).touch()


def asked_to_stop(folder: Path, name: str) -> bool:
    """Say whether somebody asked for a run's stop."""
    return (folder / name / _STOP).exists()


def now() -> str:
    """Return this moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
