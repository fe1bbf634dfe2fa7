"""One `ebb up` in the foreground: from what was asked to a running supervisor."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from ebb.errors import Misuse
from lambdas.migrate.logic import preload
from local.loading.database import prepare_database
from local.loading.erasures import scrub_erased
from local.loading.load import Table, load_table
from local.loading.running import LOADS
from local.serving.environment import Cloud
from local.serving.plan import keep_port, make_plan
from local.serving.plans import plans_text
from local.serving.release import find_release
from local.serving.routing import announce_version, put_in_force
from local.supervisor.failure import failure_kept
from local.supervisor.servers import Servers
from local.supervisor.state import State, make_state_folder
from local.supervisor.supervisor import run
from training.progress import Progress


@dataclass(frozen=True)
class Request:
    """What was asked for, and the state folder it is for; see the options of `ebb up`."""

    release: Path | None
    data: Path | None
    port: int
    environments: int
    replica: bool
    folder: Path
    plans: Path | None = None
    freeze: bool = False
    payload: str = "2.0"

    def options(self) -> list[str]:
        """Return the options that ask for the same again."""
        options = ["--port", str(self.port), "--environments", str(self.environments)]
        options += ["--release", str(self.release)] if self.release else []
        options += ["--replica"] if self.replica else []
        options += ["--freeze"] if self.freeze else []
        options += ["--payload", self.payload]
        options += ["--plans", str(self.plans)] if self.plans else []
        return options + (["--data", str(self.data)] if self.data else [])


def bring_up(request: Request, progress: Progress, announce: Callable[[State], None]) -> bool:
    """Run the local cloud until a signal ends it; everything is down again when this returns or raises.

    Args:
        request: what to run.
        progress: told of the rows that are loaded.
        announce: called once with the state when the gateway answers.

    Returns:
        Whether it came up at all.

    Raises:
        EbbError: something could not start, or the table could not be loaded.
    """
    loads = request.folder / LOADS
    make_state_folder(request.folder)
    with failure_kept(request.folder):
        cloud = Cloud(find_release(request.release), request.folder, plans_text(request.plans))
        served = cloud.served
        if request.data is not None and served.release is None:
            raise Misuse("--data needs a release, whose contract explains the columns: train one with `ebb train`")
    announced: list[State] = []

    def prepare(servers: Servers, database: str) -> None:
        prepare_database(servers, database)
        if request.data is not None and served.release is not None:
            load_table(Table(request.data, served.release.contract, loads), servers, progress)
        scrub_erased(servers, database, loads)
        table = put_in_force(served, request.folder)
        if table is not None:
            announce_version(servers, table.version)

    def came_up(state: State) -> None:
        announced.append(state)
        with suppress(OSError):  # a full disk is no reason to end what serves
            keep_port(request.folder, state.ports.control)
        announce(state)

    if not (request.folder / "postgres").exists():
        # Alembic takes as long to import as a new Postgres to start.
        Thread(target=preload, daemon=True).start()
    plan = make_plan(
        cloud,
        port=request.port,
        environments=request.environments,
        replica=request.replica,
        freeze=request.freeze,
        payload=request.payload,
        prepare=prepare,
    )
    run(plan, came_up)
    return bool(announced)
