"""What one `ebb up` is to run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.executor.function import Function
from local.gateway.routes import Route
from local.supervisor.chores import Chore
from local.supervisor.schedules import Schedule
from local.supervisor.servers import Servers

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
        chores: what is done on this machine's files, and how often.
        gateway_port: loopback port of the gateway; 0 for a free one.
        payload: format of the events that the gateway sends; see `local.gateway.gateway.PAYLOADS`.
        control_port: loopback port of the control listener; 0 for a free one. The issuer of tokens names it, so
            tokens outlive a restart only with a fixed one.
        audience: who the tokens are for.
        contract: name of the contract, for the state.
        release: version of the release, for the state.
        releases: folder of all releases, for the state.
        replica: whether Valkey gets a replica, which answers when it is slow or away.
        valkey_memory_mib: the most memory Valkey's data may take, in MiB.
        durable: whether Postgres answers a commit only when it is on disk.
    """

    state_folder: Path
    functions: Callable[[Servers], Sequence[Function]]
    routes: Sequence[Route]
    prepare: Prepare = _nothing
    schedules: Sequence[Schedule] = ()
    chores: Sequence[Chore] = ()
    gateway_port: int = 8080
    payload: str = "2.0"
    control_port: int = 0
    audience: str = "ebb"
    contract: str | None = None
    release: str | None = None
    releases: str | None = None
    replica: bool = False
    valkey_memory_mib: int = 512
    durable: bool = True
