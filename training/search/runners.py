"""Who performs the tasks: this process, one after the other, or worker processes that can be stopped."""

import json
import selectors
import signal
import tempfile
import time
from dataclasses import asdict
from typing import Protocol, cast

import numpy as np

from ebb.errors import DataError
from training.search.material_files import write_material
from training.search.task import Done, Material, Task, perform
from training.search.worker_process import WorkerProcess
from training.search.workplace import Workplace
from training.uninterrupted import uninterrupted

_LONGEST_WAIT = 3600.0
"""Seconds of one wait; the caller waits again. The system refuses to wait for ages."""


class Runner(Protocol):
    """Performs tasks."""

    slots: int

    @property
    def free(self) -> int:
        """How many more tasks it would begin at once."""

    def submit(self, task: Task) -> None:
        """Begin a task; only while one is free."""

    def wait(self, seconds: float | None) -> list[Done]:
        """Return what has ended; waits for the first of them, but no longer than so many seconds."""

    def drop(self) -> None:
        """Stop the tasks that still run; all slots are free again."""

    def close(self) -> None:
        """Stop whatever still runs, for good."""


class Inline:
    """Performs tasks in this process: for tables on which a fit takes less than starting a process."""

    slots = 1

    def __init__(self, material: Material) -> None:
        self._material = material
        self._waiting: list[Task] = []

    @property
    def free(self) -> int:
        """One, until a task was submitted."""
        return 1 - len(self._waiting)

    def submit(self, task: Task) -> None:
        """Remember the task."""
        self._waiting.append(task)

    def wait(self, seconds: float | None) -> list[Done]:  # noqa: ARG002 - a fit in this process cannot be cut short
        """Perform what was submitted."""
        tasks, self._waiting = self._waiting, []
        return [perform(self._material, task) for task in tasks]

    def drop(self) -> None:
        """Forget what was submitted."""
        self._waiting.clear()

    def close(self) -> None:
        """Forget what was submitted."""
        self._waiting.clear()


class Processes:
    """Performs tasks in worker processes, which share the material on disk.

    Args:
        material: of the tasks.
        slots: how many workers.

    Raises:
        DataError: the folder for temporary files has no room for the material.
    """

    def __init__(self, material: Material, slots: int) -> None:
        self.slots = slots
        self._workers: list[WorkerProcess] = []
        self._count = 0
        self._place: Workplace | None = None
        try:
            self._place = Workplace()
            self._folder = self._place.folder
            write_material(material, self._folder)
            for _ in range(slots):
                self._workers.append(WorkerProcess(self._folder))
        except OSError as error:
            self.close()
            raise DataError(_no_room(error)) from None
        except BaseException:
            self.close()
            raise

    @property
    def free(self) -> int:
        """Workers without a task."""
        return sum(worker.task is None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Give a task to a worker; one whose process died is started anew."""
        at = next(i for i, worker in enumerate(self._workers) if worker.task is None)
        if self._workers[at].process.poll() is not None:
            self._workers[at].end()
            self._workers[at] = WorkerProcess(self._folder)
        worker = self._workers[at]
        self._count += 1
        worker.task, worker.answer, worker.since = task, f"answer-{self._count}.npy", time.perf_counter()
        told = {**asdict(task), "answer": worker.answer}
        try:
            worker.tasks.write(json.dumps(told) + "\n")
            worker.tasks.flush()
        except BrokenPipeError:  # told by `wait`, whose read finds the end
            return

    def wait(self, seconds: float | None) -> list[Done]:
        """Return what has ended."""
        busy = [worker for worker in self._workers if worker.task is not None]
        with selectors.DefaultSelector() as selector:
            for worker in busy:
                selector.register(worker.answers, selectors.EVENT_READ, worker)
            ready = selector.select(None if seconds is None else min(max(0.0, seconds), _LONGEST_WAIT))
        return [self._done(key.data) for key, _ in ready]

    def drop(self) -> None:
        """Kill the workers that are busy; they start anew with their next task."""
        for worker in self._workers:
            if worker.task is not None:
                worker.end()
                worker.task = None

    def close(self) -> None:
        """Kill the workers, whatever they do, and remove their files; whoever presses Ctrl-C again waits for it."""
        with uninterrupted():
            for worker in self._workers:
                worker.end()
            self._workers = []
            if self._place is not None:
                self._place.close()

    def _done(self, worker: WorkerProcess) -> Done:
        task = cast("Task", worker.task)
        worker.task = None
        line = worker.answers.readline()
        if not line:
            worker.end()
            code = worker.process.returncode
            why = f"its process ended with {signal.Signals(-code).name}" if code < 0 else f"its process ended: {code}"
            return Done(task, None, 0, time.perf_counter() - worker.since, why, lost=True)
        told = json.loads(line)
        answer = self._folder / worker.answer
        raw = None
        if not told["why"]:
            raw = np.load(answer)
            answer.unlink()
        return Done(task, raw, told["rows"], told["seconds"], told["why"])


def _no_room(error: OSError) -> str:
    reason = error.strerror or "there is no room for it"  # numpy counts bytes instead
    return (
        f"the search's working files cannot be kept in {tempfile.gettempdir()}: {reason}; make room there, or let "
        "TMPDIR name another folder"
    )
