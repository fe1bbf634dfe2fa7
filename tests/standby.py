"""Two Postgres of one stage: a primary, and a hot standby that follows it by streaming, as a second region's does.

A real one of Postgres; Aurora's replicas read the same storage instead, and are not had here.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from local.servers.child import start_child
from local.servers.cluster import USER, server_environment
from local.servers.postgres import Postgres, runnable
from tests.real_stores import until

_PRIMARY = {"wal_level": "replica", "max_wal_senders": "4", "wal_keep_size": "512MB"}
_STANDBY = {**_PRIMARY, "hot_standby_feedback": "on", "wal_receiver_status_interval": "1s"}


@dataclass
class Streaming:
    """The pair; `folder` holds both."""

    folder: Path
    primary: Postgres
    standby: Postgres

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start both on empty data."""
        primary = Postgres.start(folder / "primary", durable=False, options=_PRIMARY)
        try:
            _copy(primary, folder / "primary", folder / "standby")
            standby = Postgres.start(folder / "standby", durable=False, options=_STANDBY)
        except BaseException:
            primary.stop()
            raise
        return cls(folder, primary, standby)

    def replica(self, address: PostgresAddress) -> PostgresAddress:
        """Return where a database of the primary can be read."""
        return PostgresAddress(self.standby.host, self.standby.port, USER, self.primary.password, address.database)

    def caught_up(self) -> None:
        """Wait until the standby shows everything that the primary has committed."""
        here, there = PostgresConnection(self.primary.address), PostgresConnection(self.replica(self.primary.address))
        try:
            at = here.query("select pg_current_wal_insert_lsn()::text")[0][0]
            until(lambda: bool(there.query("select pg_last_wal_replay_lsn() >= cast(:at as pg_lsn)", at=at)[0][0]), 60)
        finally:
            here.close()
            there.close()

    def pause(self, *, replay: bool) -> None:
        """Let the standby fall behind, or go on."""
        there = PostgresConnection(self.replica(self.primary.address))
        there.query("select pg_wal_replay_resume()" if replay else "select pg_wal_replay_pause()")
        there.close()

    def start_standby(self, port: int) -> None:
        """Start the standby again on its data and port."""
        self.standby = Postgres.start(self.folder / "standby", port, durable=False, options=_STANDBY)

    def stop(self) -> None:
        """End both."""
        self.standby.stop()
        self.primary.stop()


def _copy(primary: Postgres, source: Path, target: Path) -> None:
    """Make the standby's cluster as `Postgres.start` expects it, by pg_basebackup."""
    target.mkdir(mode=0o700)
    binaries, run_as = runnable(target)
    cluster = target / "cluster"
    (cluster / "data").mkdir(mode=0o700, parents=True)
    shutil.copy(source / "cluster" / "password", cluster / "password")
    for path in (cluster, cluster / "data", cluster / "password"):
        os.chown(path, *run_as.owner())
        path.chmod(0o700)
    command = [str(binaries / "pg_basebackup"), "-D", str(cluster / "data"), "-h", primary.host, "-U", USER]
    command += ["-p", str(primary.port), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
    told = {**server_environment(), "PGPASSWORD": primary.password}
    log = target / "copy.log"
    child = start_child("pg_basebackup", command, log=log, run_as=run_as, folder=cluster / "data", environment=told)
    try:
        assert child.wait(120.0), "pg_basebackup does not end"
        assert child.exit_code() == 0, log.read_text()
    finally:
        child.stop()
