"""A database whose administrator is as weak as that of RDS: no superuser, but may make roles."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from local.servers.postgres import Postgres
from stacks.constructs.database import ADMINISTRATOR

PASSWORD = "only-of-this-test"
"""On AWS a token stands in its place."""


@contextmanager
def weak_administrator(folder: Path, database: str) -> Iterator[PostgresAddress]:
    """Start a Postgres with one database, and lend it as its administrator enters it."""
    server = Postgres.start(folder, durable=False)
    try:
        run(server.address, f"create role chief superuser login password '{PASSWORD}'")
        chief = replace(server.address, user="chief", password=PASSWORD)
        run(
            chief,
            f"alter role {server.address.user} rename to another",  # a name that is needed here
            f"create role {ADMINISTRATOR} login createrole createdb password '{PASSWORD}'",
            "create role rds_iam",
            f"grant rds_iam to {ADMINISTRATOR} with admin option",
            f"create database {database} owner {ADMINISTRATOR}",
        )
        yield replace(server.address, user=ADMINISTRATOR, password=PASSWORD, database=database)
    finally:
        server.stop()


def as_user(address: PostgresAddress, user: str) -> PostgresAddress:
    """Return the same database, entered as somebody else."""
    return replace(address, user=user)


def run(address: PostgresAddress, *statements: str) -> None:
    """Run statements, each by itself."""
    connection = PostgresConnection(address)
    try:
        for statement in statements:
            connection.query(statement)
    finally:
        connection.close()
