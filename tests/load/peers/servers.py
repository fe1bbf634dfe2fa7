"""The servers that are compared, started one way, and known by their processes and the protocol they speak."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ebb.errors import Unavailable
from local.servers.child import Child, start_child
from local.servers.ports import free_port
from tests.load.peers.asking import answers
from tests.load.peers.case import Case
from tests.load.peers.installed import python_of
from tests.load.peers.wire import Wire

APPS = Path(__file__).parent / "apps"
_TERM = signal.SIGTERM
_START_SECONDS = 90.0
_OWN_PORT = 8_000
"""In a network of its own every port is free, but those that the system lends out soon belong to the peer itself."""


@dataclass(frozen=True)
class Server:
    """One running server.

    Attributes:
        name: as the page calls it.
        port: on 127.0.0.1.
        roots: the processes it began with; all their descendants are its own.
        wire: how it is asked.
        own_network: whether the port is in the first process's own network namespace.
        parts: by what a part is called, the processes that it began with; what none of them is, is the first root's.
    """

    name: str
    port: int
    roots: tuple[int, ...]
    wire: Wire
    own_network: bool = False
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """A server that is not Ebb.

    Attributes:
        name: as the page calls it.
        environment: the name of its lock.
        package: whose version the page names.
        wire: how it is asked.
        command: its arguments after the Python, given case, port and an empty folder, which it may fill.
        variables: of its environment, besides the model's; given the folder.
        own_network: it binds more than loopback, so it gets a network of its own, and runs only while it is measured.
        note: what is worth saying about it.
    """

    name: str
    environment: str
    package: str
    wire: Wire
    command: Callable[[Case, int, Path], Sequence[str]]
    variables: Callable[[Path], Mapping[str, str]] = lambda _folder: {}
    own_network: bool = False
    note: str = ""


@contextmanager
def running(peer: Peer, case: Case, folder: Path) -> Iterator[Server]:
    """Run a peer until the block ends.

    Raises:
        Unavailable: it cannot be installed, or does not answer in time; carries the end of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    python = python_of(peer.environment)
    environment = {
        **{name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}},
        "PATH": f"{python.parent}:{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(APPS),
        "EBB_PEER_MODEL": str(case.model),
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "1",
        "HOME": str(folder),
        **peer.variables(folder),
    }
    port = _OWN_PORT if peer.own_network else free_port()
    keeper = [str(python), "-IS", str(APPS / "keeper.py"), str(int(peer.own_network))]
    command = [*keeper, str(python), *peer.command(case, port, folder)]
    log = folder / "server.log"
    child = start_child(peer.name, command, log=log, environment=environment, folder=folder, death_signal=_TERM)
    try:
        server = Server(peer.name, port, (child.pid,), peer.wire, own_network=peer.own_network)
        _await_answer(server, case, child)
        yield server
    finally:
        child.stop(((_TERM, 20.0),))


def may_have_own_network() -> bool:
    """Say whether this machine lets a peer have a network namespace of its own."""
    command = [sys.executable, "-IS", str(APPS / "keeper.py"), "1", sys.executable, "-c", ""]
    return subprocess.run(command, capture_output=True, check=False, timeout=_START_SECONDS).returncode == 0


def _await_answer(server: Server, case: Case, child: Child) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            answers(server.port, [server.wire.request(case, 0)], server.roots[0] if server.own_network else 0)
        except (OSError, Unavailable) as error:
            if child.exit_code() is None and time.monotonic() < end:
                time.sleep(0.1)
                continue
            raise Unavailable(f"{server.name} does not answer ({error}); its log ends: {child.output()}") from None
        return
