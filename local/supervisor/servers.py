"""Where the servers of a local cloud listen."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Servers:
    """Where the servers listen and how to enter them.

    Attributes:
        valkey_port: Valkey's loopback port; no password.
        postgres_port: Postgres's loopback port.
        postgres_user: its superuser.
        postgres_password: that user's password.
        postgres_database: the database to use.
        postgres_dsn: the same as one URL.
        host: the loopback address.
        replica_port: the port of Valkey's replica; None where there is none.
    """

    valkey_port: int
    postgres_port: int
    postgres_user: str
    postgres_password: str = field(repr=False)
    postgres_database: str
    postgres_dsn: str = field(repr=False)
    host: str = "127.0.0.1"
    replica_port: int | None = None
