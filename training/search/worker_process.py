"""A worker process as its parent sees it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from training.search.task import Task


class WorkerProcess:
    """One worker process and what it does now."""

    def __init__(self, folder: Path) -> None:
        self.task: Task | None = None
        self.answer = ""
        self.since = 0.0
        with _ctrl_c_held(), (folder / "workers.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "training.search.worker", str(folder), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @property
    def tasks(self) -> IO[str]:
        """Where it reads."""
        return cast("IO[str]", self.process.stdin)

    @property
    def answers(self) -> IO[str]:
        """Where it writes."""
        return cast("IO[str]", self.process.stdout)

    def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.tasks, self.answers):
            try:
                pipe.close()
            except BrokenPipeError:
                continue


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Block Ctrl-C for processes started meanwhile: they inherit that from their first line on, and keep it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
