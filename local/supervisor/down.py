"""Taking everything down, and making sure that it is: also after the supervisor was killed."""

import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from ebb.errors import Unavailable
from local.servers.cluster import data_folder, processes_of
from local.servers.ports import is_listening
from local.servers.process_id import ProcessId
from local.supervisor.state import State, read_state, remove_state

_SUPERVISOR_SECONDS, _CHILD_SECONDS, _KILLED_SECONDS = 10.0, 5.0, 5.0


@dataclass(frozen=True)
class Stopped:
    """What `down` did.

    Attributes:
        was_up: whether there was anything to stop.
        supervisor: pid of the supervisor that was stopped; None when it was gone already.
        forced: the supervisor did not stop when asked and was killed.
        leftovers: names of processes that had to be killed one by one.
        seconds: how long it took.
    """

    was_up: bool = False
    supervisor: int | None = None
    forced: bool = False
    leftovers: list[str] = field(default_factory=list)
    seconds: float = 0.0


def down(folder: Path) -> Stopped:
    """Stop what runs on a state folder; nothing happens when nothing does.

    Raises:
        Unavailable: the state cannot be read, or something still runs or listens; the sentence names it.
    """
    began = time.monotonic()
    state = read_state(folder)
    if state is None:
        return Stopped()
    was_alive = state.alive()
    forced = _stop_supervisor(state)
    state = _latest(folder, state)
    leftovers = _kill_leftovers(folder, state)
    remove_state(folder, state.supervisor)
    _check_ports(state)
    return Stopped(
        was_up=was_alive or bool(leftovers),
        supervisor=state.supervisor.pid if was_alive else None,
        forced=forced,
        leftovers=leftovers,
        seconds=time.monotonic() - began,
    )


def _stop_supervisor(state: State) -> bool:
    """Ask the supervisor to stop, then kill it; say whether it had to be killed."""
    if not state.supervisor.send(signal.SIGTERM) or state.supervisor.wait_gone(_SUPERVISOR_SECONDS):
        return False
    state.supervisor.send(signal.SIGKILL)
    if not state.supervisor.wait_gone(_KILLED_SECONDS):
        raise Unavailable(f"The supervisor (process {state.supervisor.pid}) cannot be killed; end it yourself.")
    return True


def _latest(folder: Path, state: State) -> State:
    """Return the state as the supervisor left it: it may have started more since it was read."""
    latest = read_state(folder)
    return latest if latest is not None and latest.supervisor == state.supervisor else state


def _kill_leftovers(folder: Path, state: State) -> list[str]:
    """Give the children their time to notice, then kill what is left; returns its names."""
    named = dict(state.children)
    named |= {f"postgres process {found.pid}": found for found in processes_of(data_folder(folder / "postgres"))}
    deadline = time.monotonic() + _CHILD_SECONDS
    left = []
    for name, process in named.items():
        if not process.wait_gone(max(0.0, deadline - time.monotonic())):
            left.append(name)
            _kill(name, process)
    return left


def _kill(name: str, process: ProcessId) -> None:
    process.send(signal.SIGKILL)
    if not process.wait_gone(_KILLED_SECONDS):
        raise Unavailable(f"{name} (process {process.pid}) cannot be killed; end it yourself.")


def _check_ports(state: State) -> None:
    deadline = time.monotonic() + _KILLED_SECONDS
    for name, port in state.ports:
        while port and is_listening(port):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Everything of Ebb has ended, but something still listens on port {port} ({name}); "
                    f"find it with `ss -ltnp 'sport = :{port}'`."
                )
            time.sleep(0.02)
