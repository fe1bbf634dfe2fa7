"""A Postgres cluster on disk: made whole or not at all, and freed of what a killed server left.

FOLDER/cluster/data       Postgres's own files
FOLDER/cluster/password   the superuser's password
FOLDER/cluster.new-*      a cluster in the making; one that an interrupt left is removed by the next start
"""

import os
import secrets
import shutil
import signal
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from ebb.errors import Unavailable
from ebb.synced import sync, write_synced
from local.servers.child import start_child
from local.servers.process_id import ProcessId, living
from local.servers.starting import Aborted
from local.servers.unprivileged import RunAs

USER = "ebb"
_INITDB_SECONDS = 60.0
_LEAVING_SECONDS = 5.0


@dataclass(frozen=True)
class Cluster:
    """A complete cluster.

    Attributes:
        data: Postgres's data folder.
        password: the password of the superuser `ebb`.
    """

    data: Path
    password: str = field(repr=False)


def open_cluster(folder: Path, binaries: Path, run_as: RunAs, *, durable: bool, abort: Event | None) -> Cluster:
    """Return the cluster of `folder`, made now when there is none.

    Args:
        folder: holds the cluster; exists.
        binaries: folder of `initdb`.
        run_as: the user that the server will run as; the files become its own.
        durable: force the new cluster to disk.
        abort: give up when this is set.

    Raises:
        Aborted: `abort` was set.
        Unavailable: initdb failed, or the folder holds a damaged cluster, which is left alone.
    """
    for leftover in folder.glob("cluster.new-*"):
        shutil.rmtree(leftover)
    cluster = folder / "cluster"
    if not cluster.exists():
        _make(cluster, binaries, run_as, durable=durable, abort=abort)
    data = data_folder(folder)
    if not (data / "PG_VERSION").exists() or not (cluster / "password").exists():
        raise Unavailable(f"{cluster} is not a complete Postgres cluster; move it away and start again.")
    _give(cluster, run_as)
    return Cluster(data, (cluster / "password").read_text())


def free_of_dead(data: Path) -> None:
    """Remove the lock of a server that was killed, once none of its processes is left.

    Raises:
        Unavailable: a server runs on this folder and does not leave.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    deadline = time.monotonic() + _LEAVING_SECONDS
    while users := processes_of(data):
        if time.monotonic() > deadline:
            raise Unavailable(
                f"A Postgres (pid {users[0].pid}) already runs on {data}; stop it with `ebb down`, or end it."
            )
        time.sleep(0.02)
    lock.unlink(missing_ok=True)


def processes_of(data: Path) -> list[ProcessId]:
    """Return every living process of the server on a data folder: all work in it, and are called postgres."""
    found = []
    for pid in living():
        with suppress(OSError):  # gone meanwhile, or another user's
            process = Path(f"/proc/{pid}")
            if (process / "comm").read_text() == "postgres\n" and (process / "cwd").readlink() == data:
                found.append(ProcessId.of(pid))
    return [process for process in found if process is not None]


def _make(cluster: Path, binaries: Path, run_as: RunAs, *, durable: bool, abort: Event | None) -> None:
    making = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=cluster.parent))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, making, ignore_errors=True)
        write_synced(making / "password", secrets.token_urlsafe(24).encode(), 0o600)
        (making / "data").mkdir(mode=0o700)
        for path in (making, making / "data", making / "password"):
            os.chown(path, *run_as.owner())
        _initdb(making, binaries, run_as, durable=durable, abort=abort)
        making.rename(cluster)
        undo.pop_all()
    sync(cluster.parent)


def _initdb(making: Path, binaries: Path, run_as: RunAs, *, durable: bool, abort: Event | None) -> None:
    command = [str(binaries / "initdb"), "-D", str(making / "data"), "-U", USER, "--pwfile", str(making / "password")]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    if not durable:
        command.append("--no-sync")
    log = cluster_log(making.parent)
    child = start_child("initdb", command, log=log, run_as=run_as, folder=making, environment=server_environment())
    deadline = time.monotonic() + _INITDB_SECONDS
    try:
        while not child.wait(0.01):
            if abort is not None and abort.is_set():
                raise Aborted("The start of Postgres was given up on request.")
            if time.monotonic() > deadline:
                raise Unavailable(f"initdb did not end within {_INITDB_SECONDS:g} s; see its log {log}.")
    finally:
        child.stop(((signal.SIGINT, 2.0),))
    if child.exit_code() != 0:
        raise Unavailable(f"initdb could not make a Postgres cluster; see its log {log}.")


def data_folder(folder: Path) -> Path:
    """Return Postgres's own data folder for the folder of a cluster."""
    return folder.resolve() / "cluster" / "data"


def cluster_log(folder: Path) -> Path:
    """Return the log of initdb and server for the folder of a cluster."""
    return folder / "postgres.log"


def server_environment() -> dict[str, str]:
    """Return this process's environment without what would steer Postgres, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LD_"))}
    return {**kept, "LC_ALL": "C"}


def _give(cluster: Path, run_as: RunAs) -> None:
    """Let the files belong to the user of this run; another way than last time may have been taken."""
    owner = run_as.owner()
    status = cluster.stat()
    if os.geteuid() != 0 or (status.st_uid, status.st_gid) == owner:
        return
    for path in [*cluster.rglob("*"), cluster]:  # the top last: its owner says that all is done
        os.chown(path, *owner, follow_symlinks=False)
