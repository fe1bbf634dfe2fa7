"""`ebb up`, `ebb status` and `ebb down`: the local cloud."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ebb.errors import Misuse
from local.terminal import TerminalProgress, console, next_step, print_facts, print_json, print_table


def up(
    release: Annotated[
        Path | None, typer.Option(help="A release, a contract's folder, or the folder of all; default: releases/.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Table whose features are loaded first (csv or parquet).")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway; 0 takes a free one.")] = 8080,
    environments: Annotated[int, typer.Option(min=1, max=64, help="Environments of the prediction function.")] = 2,
    *,
    detach: Annotated[bool, typer.Option(help="Return when it is up, and leave it running.")] = False,
) -> None:
    """Bring the local cloud up: Valkey, Postgres, the functions and the gateway, on loopback only.

    Example:  ebb up --release releases/telco --data customers.csv --detach
    """
    from local.servers.ports import require_free  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.supervisor.state import refuse_second, state_folder  # noqa: PLC0415

    refuse_second(state_folder())
    if data is not None and not data.exists():
        raise Misuse(f"--data {data}: there is no such file or folder")
    if port:
        require_free(port)
    if detach:
        _detached(release, data, port, environments, state_folder())
    else:
        _foreground(release, data, port, environments, state_folder())


def _foreground(release: Path | None, data: Path | None, port: int, environments: int, folder: Path) -> None:
    from local.load import load_table, prepare_database  # noqa: PLC0415
    from local.serve import find_release, keep_port, make_plan, pinned  # noqa: PLC0415
    from local.supervisor.plan import Servers  # noqa: PLC0415
    from local.supervisor.state import State, make_state_folder  # noqa: PLC0415
    from local.supervisor.supervisor import run  # noqa: PLC0415

    make_state_folder(folder)
    served = pinned(find_release(release), folder)
    if data is not None and served.release is None:
        raise Misuse("--data needs a release, whose contract says what the columns mean: train one with `ebb train`")

    def prepare(servers: Servers, database: str) -> None:
        prepare_database(servers, database).close()
        if data is not None and served.release is not None:
            load_table(data, served.release.contract, servers, database, TerminalProgress())

    def announce(state: State) -> None:
        keep_port(folder, state.ports.control)
        _tell(state)

    run(make_plan(served, folder, port=port, environments=environments, prepare=prepare), announce)


def _detached(release: Path | None, data: Path | None, port: int, environments: int, folder: Path) -> None:
    from local.serve import find_release  # noqa: PLC0415
    from local.supervisor.detach import detach  # noqa: PLC0415

    find_release(release)
    options = ["--port", str(port), "--environments", str(environments)]
    options += ["--release", str(release)] if release else []
    options += ["--data", str(data)] if data else []
    _tell(detach([sys.executable, "-m", "local.cli", "up", *options], folder))


def _tell(state: object) -> None:
    from local.supervisor.state import State  # noqa: PLC0415

    assert isinstance(state, State)  # noqa: S101 - told by the supervisor
    print_facts(
        "Ebb is up",
        {
            "gateway": state.url,
            "release": f"{state.contract}/{state.release}" if state.release else "none yet: predictions answer 503",
            "valkey": f"127.0.0.1:{state.ports.valkey}",
            "postgres": f"127.0.0.1:{state.ports.postgres}",
        },
    )
    if state.release:
        next_step("ebb score ENTITY_ID --explain", "ebb token --client me", "ebb status", "ebb down")
    else:
        next_step("ebb train --contract CONTRACT --data DATA", "ebb down")
    sys.stdout.flush()


def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Say what is up: addresses, release, processes. Exit code 1 when nothing is up.

    Example:  ebb status --json
    """
    from local.supervisor.state import state_folder  # noqa: PLC0415
    from local.supervisor.status import status as read_status  # noqa: PLC0415

    found = read_status(state_folder())
    if as_json:
        print_json(found.as_dict())
    elif found.state is None:
        console.print("Nothing is up.")
        next_step("ebb up")
    else:
        _print_status(found.as_dict())
    if not found.up:
        raise typer.Exit(1)


def _print_status(facts: dict[str, object]) -> None:
    shown = ("up", "url", "contract", "release", "started_at", "supervisor", "environments")
    print_facts("Local cloud", {name: facts[name] for name in shown})
    processes = facts["processes"]
    assert isinstance(processes, dict)  # noqa: S101 - as as_dict promises
    rows = [(name, p["pid"], "yes" if p["alive"] else "no", p["restarts"]) for name, p in processes.items()]
    print_table("Processes", ["name", "process id", "alive", "restarts"], rows)
    next_step("ebb score ENTITY_ID", "ebb down")


def down(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Take the local cloud down; also cleans up after a supervisor that was killed.

    Example:  ebb down
    """
    from local.supervisor.down import down as take_down  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415

    stopped = take_down(state_folder())
    if as_json:
        print_json(stopped.__dict__)
    elif not stopped.was_up:
        console.print("Nothing was up.")
    else:
        console.print(f"Ebb is down ({stopped.seconds:.1f} s); features stay in {state_folder()}.")
    if not as_json:
        next_step("ebb up")
