"""Jobs on a small table, through the local executor or as they are typed."""

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.jobs.executor import Started, start
from local.jobs.request import JobRequest, unique_name
from local.jobs.status import JobStatus
from tests.integration.training_case import CONTRACT, ROOT
from tests.process_group import ended
from training.jobs.table import job_named

DEADLINE = 170.0


@dataclass(frozen=True)
class Jobs:
    """A folder of runs and one of their results."""

    folder: Path

    @property
    def runs(self) -> Path:
        """Where the executor keeps what it knows."""
        return self.folder / "runs"

    def request(
        self,
        job: str,
        inputs: Mapping[str, Path],
        parameters: Mapping[str, str],
        *,
        checkpoints: Path | None = None,
        grace: float = 60.0,
        longest: float | None = None,
    ) -> JobRequest:
        """Return a request of one file or folder an input."""
        return JobRequest(
            name=unique_name(job),
            job=job_named(job),
            inputs={name: [path] for name, path in inputs.items()},
            target=self.folder / "results",
            parameters=parameters,
            checkpoints=checkpoints,
            grace_seconds=grace,
            max_seconds=longest,
        )

    def start(self, request: JobRequest, on_line: Callable[[str], None] | None = None) -> Started:
        """Start a job."""
        return start(self.runs, request, on_line)

    def run(self, job: str, inputs: Mapping[str, Path], **parameters: str) -> JobStatus:
        """Run a job to its end."""
        return self.start(self.request(job, inputs, parameters)).wait(DEADLINE)

    def log(self, status: JobStatus) -> str:
        """Return all that a run has written."""
        return (self.runs / status.name / "log").read_text()


def training_inputs(table: Path) -> dict[str, Path]:
    """Return the inputs of the job `train`."""
    return {"contract": CONTRACT, "train": table}


def unpacked(status: JobStatus, folder: Path) -> Path:
    """Unpack the model archive of a run."""
    with tarfile.open(Path(status.output) / "model.tar.gz") as file:
        file.extractall(folder, filter="data")
    return folder


@contextmanager
def typed(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start `ebb` as a user would, in a process group of its own, and end it by its id whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.entry", *words],
        cwd=ROOT,
        env={**os.environ, "EBB_HOME": str(home), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        yield process


def processes_about(text: str) -> set[int]:
    """Return the living processes whose environment holds a text, such as a job's root."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
            if alive and text.encode() in (entry / "environ").read_bytes():
                found.add(int(entry.name))
    return found
