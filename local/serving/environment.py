"""What every function is told of the local cloud around it."""

from dataclasses import dataclass
from pathlib import Path

from ebb.contract import Contract
from local.serving.release import Served
from local.serving.secret import stage_secret
from local.serving.tables import routing_folder
from local.supervisor.servers import Servers

_DURABLE_READS = 2_000
"""Reads a second that one environment may send past Valkey: a laptop's Postgres answers a few thousand."""


@dataclass(frozen=True)
class Cloud:
    """What a local cloud is made of.

    Attributes:
        served: the release, found by `find_release`.
        folder: where state, data and logs go.
        plans: what each client may ask, as JSON text; empty where all may ask the same.
    """

    served: Served
    folder: Path
    plans: str = ""


def environment_of(cloud: Cloud, servers: Servers, database: str) -> dict[str, str]:
    """Return the environment variables of every function; none of them names a release."""
    served = cloud.served
    return {
        # Without a release none is served before the next start, whatever is trained meanwhile.
        "EBB_RELEASES": str(served.releases if served.release else cloud.folder.resolve() / "no-releases"),
        "EBB_CONTRACT": served.contract or "",
        "EBB_VALKEY_HOST": servers.host,
        "EBB_VALKEY_PORT": str(servers.valkey_port),
        "EBB_POSTGRES_HOST": servers.postgres.host,
        "EBB_POSTGRES_PORT": str(servers.postgres.port),
        "EBB_POSTGRES_USER": servers.postgres.user,
        "EBB_POSTGRES_PASSWORD": servers.postgres.password,
        "EBB_POSTGRES_DATABASE": database,
        **({"EBB_VALKEY_REPLICA_PORT": str(servers.replica_port)} if servers.replica_port else {}),
        "EBB_ROUTING": str(routing_folder(cloud.folder)),
        "EBB_STAGE_SECRET_FILE": str(stage_secret(cloud.folder)),
        **({"EBB_PLANS": cloud.plans} if cloud.plans else {}),
        "EBB_DURABLE_RATE": f"{_DURABLE_READS}",
        **(_lifetimes(served.release.contract) if served.release else {}),
    }


def _lifetimes(contract: Contract) -> dict[str, str]:
    """Return how long the contract lets each tier keep what it holds."""
    found = {"EBB_HISTORY_KEEP_SECONDS": contract.history_keep, "EBB_FEATURE_TTL_SECONDS": contract.ttl}
    found["EBB_FEATURE_SHORTEST_TTL_SECONDS"] = min(contract.ttls.values(), default=None)
    return {name: f"{seconds:.0f}" for name, seconds in found.items() if seconds is not None}
