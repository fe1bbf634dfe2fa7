"""Jobs as functions: start, describe, stop; what an imitation of SageMaker's API needs of this machine."""

import threading
from collections.abc import Callable
from pathlib import Path

from ebb.errors import Unavailable
from local.jobs.request import JobRequest
from local.jobs.run import JobRun
from local.jobs.status import JobStatus, ask_to_stop, describe

__all__ = ["JOBS", "Started", "describe", "start", "stop"]

JOBS = "jobs"
"""Folder of all runs, in the state folder."""


class Started:
    """A job that runs beside its caller, and ends with this process at the latest.

    Attributes:
        name: of the run.
    """

    def __init__(self, run: JobRun) -> None:
        self.name = run.status.name
        self._run = run
        self._thread = threading.Thread(target=run.run, name=f"job {self.name}", daemon=True)
        self._thread.start()

    def interrupt(self) -> None:
        """Interrupt it as a spot instance is."""
        self._run.interrupt()

    def wait(self, seconds: float) -> JobStatus:
        """Wait for its end.

        Raises:
            Unavailable: it did not end within the seconds.
        """
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise Unavailable(f"the job {self.name!r} did not end within {seconds:g} s")
        return self._run.status


def start(folder: Path, request: JobRequest, on_line: Callable[[str], None] | None = None) -> Started:
    """Start a job and return at once.

    Args:
        folder: of all runs.
        request: what to run.
        on_line: called with every line it writes, from another thread.

    Raises:
        Misuse: the request cannot be run, or there is a run of its name.
    """
    run = JobRun(folder, request, on_line) if on_line is not None else JobRun(folder, request)
    run.prepare()
    return Started(run)


def stop(folder: Path, name: str) -> JobStatus:
    """Ask for a run's stop, whoever runs it, and return what is known of it.

    Raises:
        Misuse: there is no such run.
    """
    status = describe(folder, name)
    if not status.over:
        ask_to_stop(folder, name)
    return status
