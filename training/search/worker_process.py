"""A worker process as its parent sees it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from training.uninterrupted import ctrl_c_held

if TYPE_CHECKING:
    from training.search.task import Task


class WorkerProcess:
    """One worker process and what it does now."""

    def __init__(self, folder: Path) -> None:
        self.task: Task | None = None
        self.answer = ""
        self.since = 0.0
        with ctrl_c_held(), (folder / "workers.log").open("ab") as log:
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
