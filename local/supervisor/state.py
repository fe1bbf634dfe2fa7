"""The state folder and its `up.json`: what runs, for the commands that come later.

STATE/lock            held by the running supervisor
STATE/up.json         this module's State, while it starts and runs
STATE/supervisor.log  the output of a detached supervisor
STATE/valkey/, STATE/postgres/, STATE/functions/   data and logs of what it runs
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from ebb.errors import Misuse, Unavailable
from ebb.synced import replaced
from local.servers.process_id import ProcessId

_FILE = "up.json"
Port = Annotated[int, Field(ge=0, le=65_535)]


class Ports(BaseModel):
    """The loopback ports in use; 0 while not known yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway: Port = 0
    control: Port = 0
    postgres: Port = 0
    valkey: Port = 0
    replica: Port = 0


class State(BaseModel):
    """What one `ebb up` runs.

    Attributes:
        phase: "starting" until the gateway answers, then "up".
        supervisor: the process that watches the others.
        started_at: when it was started, ISO 8601 in UTC.
        ports: where it listens.
        children: every process it started, by name: "valkey", "replica", "postgres", "FUNCTION/NUMBER".
        functions: environments alive now, by function.
        restarts: how often a server was restarted, by name.
        contract: the name of the contract that is served.
        release: the version of the release that was the champion when it came up; None when there was none yet.
        releases: the folder of all releases; None when there was none yet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: Literal["starting", "up"]
    supervisor: ProcessId
    started_at: str
    ports: Ports = Ports()
    children: dict[str, ProcessId] = {}
    functions: dict[str, NonNegativeInt] = {}
    restarts: dict[str, NonNegativeInt] = {}
    contract: str | None = None
    release: str | None = None
    releases: str | None = None

    @property
    def url(self) -> str:
        """Where callers send predictions."""
        return f"http://127.0.0.1:{self.ports.gateway}"

    @property
    def issuer(self) -> str:
        """Who issues the tokens that the gateway takes."""
        return issuer(self.ports.control)

    def alive(self) -> bool:
        """Say whether its supervisor still runs; a state whose supervisor is gone is stale."""
        return self.supervisor.alive()


def issuer(control_port: int) -> str:
    """Return the issuer of tokens: the control listener, which serves the keys."""
    return f"http://127.0.0.1:{control_port}"


def state_folder() -> Path:
    """Return the state folder: EBB_HOME, or `.ebb` in the current folder."""
    return Path(os.environ.get("EBB_HOME") or ".ebb").absolute()


def make_state_folder(folder: Path) -> None:
    """Make a state folder for its owner only, when it is absent.

    Raises:
        Unavailable: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The state folder {folder} cannot be made ({error.strerror}); name another with EBB_HOME."
        ) from error


def read_state(folder: Path) -> State | None:
    """Return the state kept in a folder, stale or not; None when there is none.

    Raises:
        Unavailable: the file is there but cannot be read as a state.
    """
    path = folder / _FILE
    try:
        return State.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        raise Unavailable(
            f"The state file {path} cannot be read ({type(error).__name__}); "
            f"end the process named in {folder / 'lock'} if it still runs, then remove the state file."
        ) from error


def running_state(folder: Path) -> State | None:
    """Return the state kept in a folder when its supervisor runs.

    Raises:
        Unavailable: as `read_state`.
    """
    state = read_state(folder)
    return state if state is not None and state.alive() else None


def write_state(folder: Path, state: State) -> None:
    """Replace the state of a folder at once, readable for its owner only.

    Raises:
        Unavailable: the folder cannot be written.
    """
    text = state.model_dump_json(indent=1)
    try:
        with replaced(folder / _FILE, 0o600) as partial:
            partial.write_text(text)
    except OSError as error:
        raise Unavailable(f"The state folder {folder} cannot be written ({error.strerror}).") from error


def remove_state(folder: Path, supervisor: ProcessId) -> None:
    """Remove the state of a supervisor; another's is left alone."""
    state = read_state(folder)
    if state is not None and state.supervisor == supervisor:
        (folder / _FILE).unlink(missing_ok=True)


def refuse_second(folder: Path) -> None:
    """Let nobody start a second supervisor on a state folder.

    Raises:
        Misuse: one runs; the sentence names it.
        Unavailable: as `read_state`.
    """
    state = running_state(folder)
    if state is not None:
        where = f"up at {state.url}" if state.phase == "up" else "starting"
        raise Misuse(f"Ebb is already {where} (process {state.supervisor.pid}); stop it first with `ebb down`.")
