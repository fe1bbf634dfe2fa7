"""Progress of a detached process, told to the terminal that waits for it through a small file."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from local.terminal import bars

if TYPE_CHECKING:
    from rich.progress import TaskID

_SECONDS_BETWEEN = 0.05


class FileProgress:
    """A `training.progress.Progress` that keeps the latest state of its step in a file.

    Args:
        path: the file; replaced at once with every change, and removed with the step.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a step of `total` units."""
        finished, written = 0, 0.0

        def advance(done: int) -> None:
            nonlocal finished, written
            finished += done
            if time.monotonic() - written > _SECONDS_BETWEEN or finished >= total:
                self._write(title, finished, total)
                written = time.monotonic()

        self._write(title, 0, total)
        try:
            yield advance
        finally:
            self._path.unlink(missing_ok=True)

    def _write(self, title: str, finished: int, total: int) -> None:
        partial = self._path.with_name(f".{self._path.name}")
        partial.write_text(json.dumps({"title": title, "finished": finished, "total": total}))
        partial.replace(self._path)


class ProgressWatcher:
    """Shows on this terminal what another process writes by `FileProgress`; used as a context.

    Args:
        path: the other's file.
        title: what is shown while the other tells nothing.
    """

    def __init__(self, path: Path, title: str) -> None:
        self._path, self._progress = path, bars()
        self._waiting: TaskID = self._progress.add_task(title, total=None)
        self._tasks: dict[str, TaskID] = {}
        self._last: object = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._complete(*self._tasks.values(), self._waiting)
        self._progress.stop()

    def look(self) -> bool:
        """Read the file once and move the bar; tell whether it moved."""
        try:
            told = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return False
        moved: bool = told != self._last
        self._last = told
        if told["title"] not in self._tasks:
            self._complete(*self._tasks.values())
            self._tasks[told["title"]] = self._progress.add_task(told["title"], total=told["total"])
        self._progress.update(self._tasks[told["title"]], completed=told["finished"])
        return moved

    def _complete(self, *tasks: "TaskID") -> None:
        for task in tasks:
            total = self._progress.tasks[task].total or 1
            self._progress.update(task, total=total, completed=total)
