"""Starting the supervisor in the background, and waiting until it serves."""

import http.client
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from ebb.errors import Unavailable
from local.servers.ports import LOOPBACK
from local.servers.process_id import ProcessId
from local.supervisor.down import down
from local.supervisor.failure import forget_failure, kept_failure
from local.supervisor.state import State, make_state_folder, read_state, refuse_second

_POLL_SECONDS = 0.02
_LOG = "supervisor.log"
_STANDARD = 2
"""The last of the standard files."""


def _nothing() -> bool:
    """Watch nothing, and see nothing move."""
    return False


def detach(
    command: Sequence[str], folder: Path, timeout_seconds: float = 120.0, watch: Callable[[], bool] = _nothing
) -> State:
    """Run a command that runs the supervisor, in a session of its own, until its gateway answers.

    Args:
        command: absolute path of a program, then its arguments; it runs a plan with this state folder.
        folder: the state folder; the command's output is appended to `supervisor.log` in it.
        timeout_seconds: how long the start may take without visible progress.
        watch: called again and again while waiting; tells whether something moved.

    Returns:
        The state, with phase "up".

    Raises:
        Misuse: a supervisor runs on this state folder already.
        Unavailable: it failed, with its own sentence, or took too long; nothing runs then.
    """
    make_state_folder(folder)
    refuse_second(folder)
    forget_failure(folder)
    with ExitStack() as undo:
        process = _spawn(command, folder / _LOG)
        undo.callback(_end, process, folder)
        state = _wait_up(process, folder, timeout_seconds, watch)
        undo.pop_all()
    return state


def _wait_up(process: ProcessId, folder: Path, timeout_seconds: float, watch: Callable[[], bool]) -> State:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if not process.alive():
            raise Unavailable(kept_failure(folder) or _last_line(folder / _LOG))
        state = read_state(folder)
        if state is not None and state.supervisor == process and state.phase == "up" and _answers(state.ports.gateway):
            return state
        if watch():
            deadline = time.monotonic() + timeout_seconds
        time.sleep(_POLL_SECONDS)
    raise Unavailable(f"Ebb was not up within {timeout_seconds:g} s and was stopped again; see {folder / _LOG}.")


def _spawn(command: Sequence[str], log: Path) -> ProcessId:
    """Start a process that nobody waits for: subprocess would warn of that."""
    out = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), out]
    actions += [(os.POSIX_SPAWN_DUP2, 1, 2), *((os.POSIX_SPAWN_CLOSE, held) for held in _inheritable())]
    pid = os.posix_spawn(command[0], list(command), os.environ, file_actions=actions, setsid=True)
    return ProcessId.of(pid) or ProcessId(pid, 0)


def _inheritable() -> list[int]:
    """Return the open files that a child would hold on to: whoever waits for their end would wait for ever."""
    held = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own is closed again
            if int(entry.name) > _STANDARD and os.get_inheritable(int(entry.name)):
                held.append(int(entry.name))
    return held


def _answers(port: int) -> bool:
    """Say whether the gateway answers anything at all."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1.0)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), None)
    return f"Ebb ended while it was starting; {log} ends with: {last}" if last else f"Ebb ended; see {log}."


def _end(process: ProcessId, folder: Path) -> None:
    process.send(signal.SIGTERM)
    if not process.wait_gone(10.0):
        process.send(signal.SIGKILL)
        process.wait_gone(5.0)
    with suppress(Unavailable, ChildProcessError):
        down(folder)
        os.waitpid(process.pid, os.WNOHANG)
