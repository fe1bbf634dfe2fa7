"""What one `ebb up` is to run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.executor.function import Function
from local.gateway.routes import Route
from local.supervisor.schedules import Schedule


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


Prepare = Callable[[Servers], Awaitable[None] | None]
"""Called with running servers. A plain function runs in a thread of its own and may block."""


def _nothing(_servers: Servers) -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Plan:
    """What a supervisor is to run.

    Attributes:
        state_folder: where it keeps state, data and logs.
        functions: makes the functions, once it is known where the servers listen.
        routes: what the gateway answers.
        prepare: fills the servers before any function starts (schema, features, routing table).
        schedules: which functions are invoked without a caller, and when.
        gateway_port: loopback port of the gateway; 0 for a free one.
        control_port: loopback port of the control listener; 0 for a free one. The issuer of tokens names it, so
            tokens outlive a restart only with a fixed one.
        audience: who the tokens are for.
        contract: name of the contract, for the state.
        release: version of the release, for the state.
        replica: whether Valkey gets a replica, which answers when it is slow or away.
        valkey_memory_mib: the most memory Valkey's data may take, in MiB.
        durable: whether Postgres answers a commit only when it is on disk.
    """

    state_folder: Path
    functions: Callable[[Servers], Sequence[Function]]
    routes: Sequence[Route]
    prepare: Prepare = _nothing
    schedules: Sequence[Schedule] = ()
    gateway_port: int = 8080
    control_port: int = 0
    audience: str = "ebb"
    contract: str | None = None
    release: str | None = None
    replica: bool = False
    valkey_memory_mib: int = 512
    durable: bool = True
