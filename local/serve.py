"""From a release and a table to the plan of one local cloud: which functions, routes and features it runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebb.contract import Contract
from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import LoadedRelease, load_release
from local.executor.function import Function
from local.gateway.routes import Route
from local.loading.running import LOADS
from local.servers.ports import is_free
from local.supervisor.chores import Chore
from local.supervisor.plan import Plan
from local.supervisor.schedules import Schedule
from local.supervisor.servers import Servers

DEFAULT_RELEASES = Path("releases")
ROUTES = (
    Route("POST", "/v1/predictions", "predict", authorized=True),
    Route("GET", "/v1/releases", "predict", authorized=True),
    Route("GET", "/v1/health", "predict", authorized=False),
    Route("GET", "/openapi.json", "predict", authorized=False),
    Route("PUT", "/v1/features/{entity_id}", "records", authorized=True),
    Route("POST", "/v1/features/batch", "records", authorized=True),
    Route("GET", "/v1/subjects/{entity_id}", "records", authorized=True),
    Route("DELETE", "/v1/subjects/{entity_id}", "records", authorized=True),
)
SCHEDULES = (Schedule("maintain", {"task": "all"}, 5.0, {"valkey": {"task": "refill"}}),)
_HANDLERS = {
    "predict": "lambdas.predict.handler.handle",
    "records": "lambdas.records.handler.handle",
    "maintain": "lambdas.maintain.handler.handle",
}
_TIMEOUTS = {"maintain": 60.0}
_USUAL_TIMEOUT = 10.0
"""Seconds."""
_RECORDS_ENVIRONMENTS = _MAINTAIN_ENVIRONMENTS = 1
_DURABLE_READS = 2_000
"""Reads a second that one environment may send past Valkey: a laptop's Postgres answers a few thousand."""
_TASK_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Served:
    """The release that a local cloud serves.

    Attributes:
        releases: folder of the release store.
        contract: the contract's name; None where there is no release yet.
        release: the loaded release; None where there is none yet.
    """

    releases: Path
    contract: str | None
    release: LoadedRelease | None


def find_release(where: Path | None) -> Served:
    """Find, verify and load what `--release` means.

    Args:
        where: a releases folder, a contract's folder in it, a release in that; None is `releases/`.

    Raises:
        NoRelease: the folder names no release, though one was asked for by name.
        ReleaseError: the release fails its checks, or several contracts could be meant.
    """
    root = where or DEFAULT_RELEASES
    named = root.resolve()  # "." and ".." carry no name
    if (root / "manifest.json").exists():
        return _load(named.parent.parent, named.parent.name, named.name)
    if (root / "champion").exists():
        return _load(named.parent, named.name, None)
    contracts = FolderReleases(root).contracts()
    if len(contracts) > 1:
        names = ", ".join(str(root / name) for name in contracts)
        raise ReleaseError(f"{root} holds releases of several contracts: choose one with --release ({names})")
    if contracts:
        return _load(root, contracts[0], None)
    if where is not None:
        raise NoRelease(f"{where} is no release and holds none: train one with `ebb train`, or name another folder")
    return Served(root.resolve(), None, None)


def _load(root: Path, contract: str, version: str | None) -> Served:
    store = FolderReleases(root)
    chosen = version or store.champion(contract)
    if chosen is None:
        raise NoRelease(f"{root / contract} has no champion: train one with `ebb train`")
    return Served(root.resolve(), contract, load_release(store, contract, chosen, OnnxScorer))


def pinned(served: Served, state_folder: Path) -> Served:
    """Return the same with a store of its own in the state folder, whose champion is the chosen release.

    The functions only ever ask a store for its champion. With a store that nothing else writes, every environment
    serves the same release from `ebb up` to `ebb down`, also one that is started later; without a release there
    stays none.
    """
    if served.release is None or served.contract is None:
        return Served((state_folder / "pinned" / "none").resolve(), None, None)
    version = served.release.manifest.version
    root = state_folder / "pinned" / version
    folder = root / served.contract
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / version
    target = served.releases / served.contract / version
    if not link.is_symlink() or link.readlink() != target:  # the releases may have been moved
        link.unlink(missing_ok=True)
        link.symlink_to(target, target_is_directory=True)
    FolderReleases(root).set_champion(served.contract, version)
    return Served(root.resolve(), served.contract, served.release)


def make_plan(
    served: Served,
    state_folder: Path,
    *,
    port: int,
    environments: int,
    replica: bool = False,
    prepare: Callable[[Servers, str], None],
) -> Plan:
    """Return what the supervisor runs.

    Args:
        served: the release, found by `find_release`.
        state_folder: where state, data and logs go.
        port: the gateway's.
        environments: of the prediction function.
        replica: whether Valkey gets a replica.
        prepare: called with the servers and the name of the contract's database.
    """
    database = served.contract or "postgres"

    def functions(servers: Servers) -> Sequence[Function]:
        environment = environment_of(served, servers, database)
        counts = {"predict": environments, "records": _RECORDS_ENVIRONMENTS, "maintain": _MAINTAIN_ENVIRONMENTS}
        return [
            Function(
                name=name,
                handler=_HANDLERS[name],
                environment=environment,
                task_root=_TASK_ROOT,
                environments=count,
                timeout_seconds=_TIMEOUTS.get(name, _USUAL_TIMEOUT),
            )
            for name, count in counts.items()
        ]

    return Plan(
        state_folder=state_folder,
        functions=functions,
        routes=ROUTES,
        schedules=SCHEDULES,
        chores=(_scrubbing(state_folder, database),),
        prepare=lambda servers: prepare(servers, database),
        gateway_port=port,
        control_port=_steady_port(state_folder),
        contract=served.contract,
        release=served.release.manifest.version if served.release else None,
        replica=replica,
    )


def _scrubbing(state_folder: Path, database: str) -> Chore:
    """Return the chore that takes erased subjects out of the files of refused rows."""

    def scrub(servers: Servers) -> None:
        from local.loading.erasures import scrub_erased  # noqa: PLC0415 - the migration tool behind it loads slowly

        scrub_erased(servers, database, state_folder / LOADS)

    return Chore("erased subjects in the files of refused rows", scrub, 30.0)


def environment_of(served: Served, servers: Servers, database: str) -> dict[str, str]:
    """Return the environment variables of every function."""
    return {
        "EBB_RELEASES": str(served.releases),
        "EBB_CONTRACT": served.contract or "",
        "EBB_VALKEY_HOST": servers.host,
        "EBB_VALKEY_PORT": str(servers.valkey_port),
        "EBB_POSTGRES_HOST": servers.postgres.host,
        "EBB_POSTGRES_PORT": str(servers.postgres.port),
        "EBB_POSTGRES_USER": servers.postgres.user,
        "EBB_POSTGRES_PASSWORD": servers.postgres.password,
        "EBB_POSTGRES_DATABASE": database,
        **({"EBB_VALKEY_REPLICA_PORT": str(servers.replica_port)} if servers.replica_port else {}),
        "EBB_DURABLE_RATE": f"{_DURABLE_READS}",
        **(_lifetimes(served.release.contract) if served.release else {}),
    }


def _lifetimes(contract: Contract) -> dict[str, str]:
    """Return how long the contract lets each tier keep what it holds."""
    found = {"EBB_HISTORY_KEEP_SECONDS": contract.history_keep, "EBB_FEATURE_TTL_SECONDS": contract.ttl}
    found["EBB_FEATURE_SHORTEST_TTL_SECONDS"] = min(contract.ttls.values(), default=None)
    return {name: f"{seconds:.0f}" for name, seconds in found.items() if seconds is not None}


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
