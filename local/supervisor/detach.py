"""Starting the supervisor in the background, and waiting until it serves."""

import http.client
import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from ebb.errors import Unavailable
from local.servers.ports import LOOPBACK
from local.servers.process_id import ProcessId
from local.supervisor.down import down
from local.supervisor.failure import kept_failure
from local.supervisor.state import State, make_state_folder, read_state, refuse_second

_POLL_SECONDS = 0.02


def detach(command: Sequence[str], folder: Path, timeout_seconds: float = 120.0) -> State:
    """Run a command that runs the supervisor, in a session of its own, until its gateway answers.

    Args:
        command: absolute path of a program, then its arguments; it runs a plan with this state folder.
        folder: the state folder; the command's output is appended to `supervisor.log` in it.
        timeout_seconds: how long the start may take.

    Returns:
        The state, with phase "up".

    Raises:
        Misuse: a supervisor runs on this state folder already.
        Unavailable: it failed, with its own sentence, or took too long; nothing runs then.
    """
    make_state_folder(folder)
    refuse_second(folder)
    log = folder / "supervisor.log"
    offset = log.stat().st_size if log.exists() else 0
    with ExitStack() as undo:
        process = _spawn(command, log)
        undo.callback(_end, process, folder)
        state = _wait_up(process, folder, timeout_seconds, log, offset)
        undo.pop_all()
    return state


def _wait_up(process: ProcessId, folder: Path, timeout_seconds: float, log: Path, offset: int) -> State:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if not process.alive():
            raise Unavailable(kept_failure(folder) or _last_line(log, offset))
        state = read_state(folder)
        if state is not None and state.supervisor == process and state.phase == "up" and _answers(state.ports.gateway):
            return state
        time.sleep(_POLL_SECONDS)
    raise Unavailable(f"Ebb was not up within {timeout_seconds:g} s and was stopped again; see {log}.")


def _spawn(command: Sequence[str], log: Path) -> ProcessId:
    """Start a process that nobody waits for: subprocess would warn of that."""
    out = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), out, (os.POSIX_SPAWN_DUP2, 1, 2)]
    pid = os.posix_spawn(command[0], list(command), os.environ, file_actions=actions, setsid=True)
    return ProcessId.of(pid) or ProcessId(pid, 0)


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


def _last_line(log: Path, offset: int) -> str:
    written = log.read_bytes()[offset:].decode(errors="replace")
    last = next((line.strip() for line in reversed(written.splitlines()) if line.strip()), None)
    return f"Ebb ended while it was starting; {log} ends with: {last}" if last else f"Ebb ended; see {log}."


def _end(process: ProcessId, folder: Path) -> None:
    process.send(signal.SIGTERM)
    if not process.wait_gone(10.0):
        process.send(signal.SIGKILL)
        process.wait_gone(5.0)
    with suppress(Unavailable, ChildProcessError):
        down(folder)
        os.waitpid(process.pid, os.WNOHANG)
