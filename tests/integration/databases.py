"""A database of its own for a test, at the newest schema, on the session's Postgres."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from lambdas.migrate.logic import Migrated, migrate
from local.servers.postgres import Postgres


@dataclass(frozen=True)
class Database:
    """Where it is, and how to reach it.

    Attributes:
        server: the Postgres it lies in.
        name: its own.
    """

    server: Postgres
    name: str

    @classmethod
    def fresh(cls, server: Postgres, to: str = "head") -> "Database":
        """Create one and bring it to a version of the schema."""
        made = cls(server, f"t_{uuid4().hex}")
        admin = cls(server, server.database).connect()
        with admin.use() as connection:
            connection.run(f"create database {made.name}")
        admin.close()
        made.migrate(to)
        return made

    @property
    def address(self) -> PostgresAddress:
        """Return how it is entered."""
        return replace(self.server.address, database=self.name)

    def connect(self, **limits: Any) -> PostgresConnection:
        """Return a connection that opens with its first use; `limits` as `PostgresConnection` takes them."""
        return PostgresConnection(self.address, **limits)

    def migrate(self, to: str = "head") -> Migrated:
        """Bring it to a version of the schema."""
        return migrate(self.address, to=to)
