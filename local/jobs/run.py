"""One job from its first process to its uploaded results."""

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ebb.errors import EbbError, Misuse
from local.jobs.log_lines import LogLines
from local.jobs.request import JobRequest
from local.jobs.status import JobStatus, asked_to_stop, now, write_status
from local.jobs.tree import arguments, make_tree, variables
from local.jobs.upload import upload
from local.servers.child import Child, start_child
from local.servers.process_id import ProcessId

_POLL_SECONDS = 0.05
_LONGEST_REASON = 1024


def _unheard(_line: str) -> None:
    """Let a line pass."""


class JobRun:
    """Runs one request: to be run by one thread, and to be stopped or interrupted by any.

    Args:
        folder: of all runs; this one's is made in it.
        request: what to run.
        on_line: called with every line that the job writes.
        interrupt_after: seconds after which it is interrupted once, as a spot instance is; None for never.

    Attributes:
        status: what is known now.
    """

    def __init__(
        self,
        folder: Path,
        request: JobRequest,
        on_line: Callable[[str], None] = _unheard,
        interrupt_after: float | None = None,
    ) -> None:
        request.check()
        self._folder, self._request = folder, request
        self._own = folder / request.name
        self._root = self._own / "ml"
        self._log = self._own / "log"
        self._lines = LogLines(self._log, on_line)
        self._interrupt_after = interrupt_after
        self._interrupt = threading.Event()
        own_id = ProcessId.of(os.getpid()) or ProcessId(os.getpid(), 0)
        self.status = JobStatus(
            name=request.name,
            job=request.job.name,
            status="InProgress",
            secondary="Starting",
            executor=own_id,
            started_at=now(),
        )

    def prepare(self) -> None:
        """Make the run's folder, so that others can see it.

        Raises:
            Misuse: there is a run of that name.
        """
        try:
            self._own.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            raise Misuse(f"there is a job {self._request.name!r} already: give this one another name") from None
        self._tell()

    def interrupt(self) -> None:
        """Interrupt the job as a spot instance is: SIGTERM, the grace, and a new start that finds its checkpoints."""
        self._interrupt.set()

    def run(self) -> JobStatus:
        """Run it to its end and return what is known then; a prepared one.

        Raises:
            KeyboardInterrupt: Ctrl-C came; the job has ended, its status says Stopped.
        """
        try:
            while self._once():
                self._tell(secondary="Restarting", interruptions=self.status.interruptions + 1)
        except KeyboardInterrupt:
            self._end("Stopped", "Stopped")
            raise
        except EbbError as error:
            self._end("Failed", "Failed", failure_reason=f"ClientError: {error}")
        except OSError as error:
            reason = f"InternalServerError: {error.strerror or error}: {error.filename or 'the system'}"
            self._end("Failed", "Failed", failure_reason=reason)
        except BaseException as error:
            self._end("Failed", "Failed", failure_reason=f"InternalServerError: {type(error).__name__}")
            raise
        return self.status

    def _once(self) -> bool:
        """Run one process; say whether it was interrupted and another one is to follow."""
        make_tree(self._request, self._root)
        began = time.monotonic()
        child = self._start()
        self._tell(secondary="Training" if self._request.job.kind == "training" else "Processing")
        try:
            why = self._watch(child, began)
        except BaseException:
            self._stop_child(child)
            raise
        if why == "interrupted":
            self._tell(secondary="Interrupted")
            self._stop_child(child)
            return True
        if why:
            self._tell(status="Stopping", secondary="Stopping")
            self._stop_child(child)
            secondary = "MaxRuntimeExceeded" if why == "too long" else "Stopped"
            if self._request.job.kind == "training":
                self._finish("Stopped", secondary)
            else:
                self._end("Stopped", secondary)
            return False
        self._lines.follow(last=True)
        self._judge(child.exit_code())
        return False

    def _start(self) -> Child:
        command = [sys.executable, "-m", "training.jobs", *arguments(self._request)]
        environment = variables(self._request, self._root)
        return start_child(self._request.name, command, log=self._log, environment=environment, folder=self._root)

    def _watch(self, child: Child, began: float) -> str:
        """Follow the process until it ends or must end; return why it must, or an empty text."""
        limit = self._request.max_seconds
        while not child.wait(_POLL_SECONDS):
            self._lines.follow()
            ran = time.monotonic() - began
            if asked_to_stop(self._folder, self._request.name):
                return "stopped"
            if limit is not None and ran > limit:
                return "too long"
            due = self._interrupt_after is not None and ran > self._interrupt_after
            if due or self._interrupt.is_set():
                self._interrupt_after = None
                self._interrupt.clear()
                return "interrupted"
        return ""

    def _stop_child(self, child: Child) -> None:
        child.stop(((signal.SIGTERM, self._request.grace_seconds),))
        self._tell(exit_code=child.exit_code())
        self._lines.follow(last=True)

    def _judge(self, code: int | None) -> None:
        self._tell(exit_code=code)
        if code == 0:
            self._finish("Completed", "Completed")
            return
        reason = f"AlgorithmError: {self._reason(code)}, exit code: {code}"
        if self._request.job.keeps_output:
            self._finish("Failed", "Failed", failure_reason=reason)
        else:
            self._end("Failed", "Failed", failure_reason=reason)

    def _reason(self, code: int | None) -> str:
        try:
            said = (self._root / "output" / "failure").read_text(errors="replace").strip()
        except OSError:
            said = ""
        if said:
            return said[:_LONGEST_REASON]
        killed = f"the job was ended by signal {-code}" if code is not None and code < 0 else "the job said no reason"
        return f"{killed}; see {self._log}"

    def _finish(self, status: str, secondary: str, failure_reason: str = "") -> None:
        """Bring the results away, then say that it is over."""
        self._tell(secondary="Uploading")
        place = upload(self._request, self._root)
        self._end(status, secondary, failure_reason=failure_reason, output=str(place))

    def _end(self, status: str, secondary: str, **more: str) -> None:
        """Say that it is over; log, status and checkpoints stay, the container goes."""
        shutil.rmtree(self._root, ignore_errors=True)
        self._tell(status=status, secondary=secondary, ended_at=now(), **more)

    def _tell(self, **changes: object) -> None:
        self.status = JobStatus.model_validate({**self.status.model_dump(), **changes})
        write_status(self._folder, self.status)
