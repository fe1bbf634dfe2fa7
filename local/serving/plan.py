"""The plan of one local cloud: which functions, routes and schedules it runs."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from local.executor.function import Function
from local.executor.tracing import Tracing
from local.loading.running import LOADS
from local.servers.ports import is_free
from local.serving.environment import Cloud, environment_of
from local.serving.routes import ROUTES, SCHEDULES
from local.supervisor.chores import Chore
from local.supervisor.plan import Plan
from local.supervisor.servers import Servers

_HANDLERS = {
    "predict": "lambdas.predict.handler.handle",
    "records": "lambdas.records.handler.handle",
    "maintain": "lambdas.maintain.handler.handle",
}
_TIMEOUTS = {"maintain": 60.0}
_USUAL_TIMEOUT = 10.0
"""Seconds."""
_RECORDS_ENVIRONMENTS = _MAINTAIN_ENVIRONMENTS = 1
_TASK_ROOT = Path(__file__).resolve().parents[2]


def make_plan(
    cloud: Cloud,
    *,
    port: int,
    environments: int,
    replica: bool = False,
    freeze: bool = False,
    payload: str = "2.0",
    prepare: Callable[[Servers, str], None],
) -> Plan:
    """Return what the supervisor runs.

    Args:
        cloud: what it is made of.
        port: the gateway's.
        environments: of the prediction function.
        replica: whether Valkey gets a replica.
        freeze: whether environments stand still between invocations.
        payload: format of the gateway's events.
        prepare: called with the servers and the name of the contract's database.

    Raises:
        Misuse: what the environment says of traces cannot be used.
    """
    served, database = cloud.served, cloud.served.contract or "postgres"
    tracing = Tracing.from_environment(os.environ)

    def functions(servers: Servers) -> Sequence[Function]:
        environment = {**environment_of(cloud, servers, database), **tracing.variables}
        counts = {"predict": environments, "records": _RECORDS_ENVIRONMENTS, "maintain": _MAINTAIN_ENVIRONMENTS}
        return [
            Function(
                name=name,
                handler=_HANDLERS[name],
                environment=environment,
                task_root=_TASK_ROOT,
                environments=count,
                timeout_seconds=_TIMEOUTS.get(name, _USUAL_TIMEOUT),
                freeze=freeze,
                sampled=tracing.share,
            )
            for name, count in counts.items()
        ]

    return Plan(
        state_folder=cloud.folder,
        functions=functions,
        routes=ROUTES,
        schedules=SCHEDULES,
        chores=(_scrubbing(cloud.folder, database),),
        prepare=lambda servers: prepare(servers, database),
        gateway_port=port,
        payload=payload,
        control_port=_steady_port(cloud.folder),
        contract=served.contract,
        release=served.release.manifest.version if served.release else None,
        releases=str(served.releases) if served.release else None,
        replica=replica,
    )


def _scrubbing(state_folder: Path, database: str) -> Chore:
    """Return the chore that takes erased subjects out of the files of refused rows."""

    def scrub(servers: Servers) -> None:
        from local.loading.erasures import scrub_erased  # noqa: PLC0415 - the migration tool behind it loads slowly

        scrub_erased(servers, database, state_folder / LOADS)

    return Chore("erased subjects in the files of refused rows", scrub, 30.0)


def _steady_port(state_folder: Path) -> int:
    """Return the control port of the last run if it is free, so that tokens outlive a restart."""
    try:
        port = int((state_folder / "control_port").read_text())
    except (OSError, ValueError):
        return 0
    return port if is_free(port) else 0


def keep_port(state_folder: Path, port: int) -> None:
    """Remember the control port for the next run."""
    (state_folder / "control_port").write_text(f"{port}\n")
