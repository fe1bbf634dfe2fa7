"""What `ebb status` tells, read from the state and checked against the processes."""

from dataclasses import dataclass
from pathlib import Path

from ebb.errors import EbbError
from local.servers.ports import is_listening
from local.serving.tables import champion
from local.supervisor.state import State, read_state


@dataclass(frozen=True)
class ProcessStatus:
    """One recorded child.

    Attributes:
        name: "valkey", "postgres" or "FUNCTION/NUMBER".
        pid: its process id.
        alive: whether exactly that process runs.
        restarts: how often it was restarted (servers only).
    """

    name: str
    pid: int
    alive: bool
    restarts: int


@dataclass(frozen=True)
class Status:
    """How the local cloud stands.

    Attributes:
        up: the supervisor lives, has started everything, and the gateway listens.
        stale: a state is there whose supervisor is gone; `ebb down` clears it.
        state: the state as recorded; None when there is none.
        processes: the recorded children.
        listening: whether each port accepts connections, by name.
        release: the champion of the newest routing table; None where none is served.
    """

    up: bool
    stale: bool
    state: State | None
    processes: list[ProcessStatus]
    listening: dict[str, bool]
    release: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return all of it as JSON values."""
        state = self.state
        return {
            "up": self.up,
            "stale": self.stale,
            "phase": state.phase if state else None,
            "url": state.url if state else None,
            "contract": state.contract if state else None,
            "release": self.release,
            "started_at": state.started_at if state else None,
            "supervisor": state.supervisor.pid if state else None,
            "ports": state.ports.model_dump() if state else {},
            "listening": self.listening,
            "environments": dict(state.functions) if state else {},
            "processes": {
                process.name: {"pid": process.pid, "alive": process.alive, "restarts": process.restarts}
                for process in self.processes
            },
        }


def status(folder: Path) -> Status:
    """Return how the local cloud of a state folder stands.

    Raises:
        Unavailable: the state cannot be read.
    """
    state = read_state(folder)
    if state is None:
        return Status(up=False, stale=False, state=None, processes=[], listening={})
    listening = {name: bool(port) and is_listening(port) for name, port in state.ports if port or name != "replica"}
    processes = [
        ProcessStatus(name, process.pid, process.alive(), state.restarts.get(name, 0))
        for name, process in state.children.items()
    ]
    alive = state.alive()
    return Status(
        up=alive and state.phase == "up" and listening["gateway"],
        stale=not alive,
        state=state,
        processes=processes,
        listening=listening,
        release=_champion(state, folder),
    )


def _champion(state: State, folder: Path) -> str | None:
    """Return the champion; the one that came up where the tables cannot be read, which stops no status."""
    try:
        return champion(state, folder)
    except EbbError:
        return state.release
