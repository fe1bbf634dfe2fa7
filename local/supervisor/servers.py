"""Where the servers of a local cloud listen."""

from dataclasses import dataclass

from ebb.postgres.address import PostgresAddress
from local.servers.ports import LOOPBACK


@dataclass(frozen=True)
class Servers:
    """Where the servers listen and how to enter them.

    Attributes:
        valkey_port: Valkey's port; no password.
        postgres: the database that Postgres was made with, as its superuser.
        replica_port: the port of Valkey's replica; None where there is none.
        host: of all of them.
    """

    valkey_port: int
    postgres: PostgresAddress
    replica_port: int | None = None
    host: str = LOOPBACK
