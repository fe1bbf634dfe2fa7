"""Taking down: what is recorded ends, what is not is left alone, and nothing is claimed that is not so."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebb.errors import Unavailable
from local.servers.process_id import ProcessId
from local.supervisor import down as module
from local.supervisor.down import Stopped, down
from local.supervisor.state import Ports, State, read_state, write_state

SLEEP = "import time; print('ready', flush=True); time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP


class Processes:
    """Real processes of a test, ended with it."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(self, code: str = SLEEP) -> ProcessId:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        self.started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        named = ProcessId.of(process.pid)
        assert named is not None
        return named


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    for name in ("_SUPERVISOR_SECONDS", "_CHILD_SECONDS", "_KILLED_SECONDS"):
        monkeypatch.setattr(module, name, 0.3)
    found = Processes()
    yield found
    for process in found.started:
        process.kill()
        process.communicate()


def write(folder: Path, supervisor: ProcessId, **changes: object) -> State:
    state = State(phase="up", supervisor=supervisor, started_at="").model_copy(update=changes)
    write_state(folder, state)
    return state


def gone() -> ProcessId:
    return ProcessId(os.getpid(), 1)


def test_nothing_to_stop_is_no_error(tmp_path: Path) -> None:
    assert down(tmp_path) == Stopped()
    assert down(tmp_path / "absent") == Stopped()


def test_a_supervisor_is_asked_to_stop(tmp_path: Path, processes: Processes) -> None:
    supervisor = processes.start()
    write(tmp_path, supervisor)
    done = down(tmp_path)
    assert (done.was_up, done.supervisor, done.forced, done.leftovers) == (True, supervisor.pid, False, [])
    assert not supervisor.alive()
    assert read_state(tmp_path) is None
    assert down(tmp_path) == Stopped()


def test_a_deaf_supervisor_is_killed(tmp_path: Path, processes: Processes) -> None:
    supervisor = processes.start(DEAF)
    write(tmp_path, supervisor)
    done = down(tmp_path)
    assert done.forced
    assert not supervisor.alive()


def test_a_frozen_supervisor_is_killed(tmp_path: Path, processes: Processes) -> None:
    supervisor = processes.start(DEAF)
    supervisor.send(signal.SIGSTOP)
    write(tmp_path, supervisor)
    assert down(tmp_path).forced
    assert not supervisor.alive()


def test_leftovers_of_a_killed_supervisor_are_killed_by_id(tmp_path: Path, processes: Processes) -> None:
    left, other = processes.start(DEAF), processes.start()
    recycled = ProcessId(other.pid, other.started - 1)
    write(tmp_path, gone(), children={"valkey": left, "postgres": recycled})
    done = down(tmp_path)
    assert (done.was_up, done.supervisor, done.leftovers) == (True, None, ["valkey"])
    assert not left.alive()
    assert other.alive(), "another process that has a recorded pid by now is none of Ebb's"
    assert read_state(tmp_path) is None


def test_a_child_that_is_just_leaving_is_waited_for(tmp_path: Path, processes: Processes) -> None:
    leaving = processes.start("import time; print('ready', flush=True); time.sleep(0.1)")
    write(tmp_path, gone(), children={"valkey": leaving})
    assert down(tmp_path).leftovers == []


def test_a_stale_state_is_cleared_and_not_called_up(tmp_path: Path, processes: Processes) -> None:
    write(tmp_path, gone(), children={"valkey": gone()})
    done = down(tmp_path)
    assert not done.was_up
    assert read_state(tmp_path) is None
    assert not processes.started


def test_a_port_that_still_listens_is_told(tmp_path: Path, processes: Processes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write(tmp_path, gone(), ports=Ports(valkey=port))
        with pytest.raises(Unavailable, match=rf"still listens on port {port} \(valkey\)"):
            down(tmp_path)
    assert down(tmp_path) is not None
    assert read_state(tmp_path) is None
    assert not processes.started


def test_it_does_not_take_long(tmp_path: Path, processes: Processes) -> None:
    write(tmp_path, processes.start(), children={"valkey": gone()})
    began = time.monotonic()
    assert down(tmp_path).seconds <= time.monotonic() - began < 2
