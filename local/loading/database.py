"""The contract's database: made where it is absent, and brought to the newest schema."""

from dataclasses import replace

import pg8000.native

from ebb.postgres.connection import PostgresConnection
from lambdas.migrate.logic import migrate
from local.supervisor.servers import Servers

_SECONDS = 60.0
_LOCK_SECONDS = 10.0


def prepare_database(servers: Servers, database: str) -> None:
    """Create the contract's database where it is absent, and walk its schema to the newest version.

    Raises:
        Unavailable: Postgres does not answer, or a step of the schema failed.
    """
    server = connect(servers, servers.postgres.database)
    try:
        with server.use() as connection:
            if not connection.run("select 1 from pg_database where datname = :name", name=database):
                connection.run(f"create database {pg8000.native.identifier(database)}")
    finally:
        server.close()
    migrate(replace(servers.postgres, database=database))


def connect(servers: Servers, database: str) -> PostgresConnection:
    """Return a connection, which opens with its first use, that waits as long as work on many rows may take."""
    address = replace(servers.postgres, database=database)
    return PostgresConnection(address, timeout=_SECONDS, connect_timeout=_LOCK_SECONDS, lock_timeout=_LOCK_SECONDS)
