"""`ebb up`: brings the local cloud up."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ebb.errors import DataError
from local.terminal import INTERRUPTED, TerminalProgress, errors, next_step, print_facts, print_json

if TYPE_CHECKING:
    from local.bring_up import Request
    from local.supervisor.state import State

_PROGRESS = "progress.json"


class Payload(StrEnum):
    """Format of the events that functions are sent."""

    HTTP_API = "2.0"
    REST_API = "1.0"


def up(
    release: Annotated[
        Path | None, typer.Option(help="A release, a contract's folder, or the folder of all; default: releases/.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Table whose features are loaded first (csv or parquet).")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway; 0 takes a free one.")] = 8080,
    plans: Annotated[Path | None, typer.Option(help="What each client may ask (TOML or JSON).")] = None,
    environments: Annotated[int, typer.Option(min=1, max=64, help="Environments of the prediction function.")] = 2,
    *,
    payload: Annotated[
        Payload, typer.Option(help="Events as an HTTP API sends them (2.0), or a REST API (1.0).")
    ] = Payload.HTTP_API,
    replica: Annotated[bool, typer.Option("--replica", help="Start a replica of Valkey for hedged reads.")] = False,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Stop functions between requests, as AWS does; off by default.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is up, and leave it running.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    progress_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Bring the local cloud up: Valkey, Postgres, the functions and the gateway, on loopback only.

    Example:  ebb up --release releases/telco --data customers.csv --detach
    """
    from local.bring_up import Request  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.servers.ports import require_free  # noqa: PLC0415
    from local.supervisor.state import refuse_second, state_folder  # noqa: PLC0415

    refuse_second(state_folder())
    if data is not None and not data.exists():
        raise DataError(f"there is no file or folder {data}: check the path")
    if port:
        require_free(port)
    request = Request(release, data, port, environments, replica, state_folder(), plans, freeze, payload.value)
    if detach:
        _tell(request.folder, _detached(request), as_json=as_json)
    else:
        _foreground(request, progress_file, as_json=as_json)


def _foreground(request: "Request", progress_file: Path | None, *, as_json: bool) -> None:
    from local.bring_up import bring_up  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.progress_file import FileProgress  # noqa: PLC0415

    def announce(state: "State") -> None:
        _tell(request.folder, state, as_json=as_json)
        if not as_json and not progress_file:
            errors.print("Ctrl-C stops it.")

    progress = FileProgress(progress_file) if progress_file else TerminalProgress()
    if not bring_up(request, progress, announce):
        raise typer.Exit(INTERRUPTED)


def _detached(request: "Request") -> "State":
    """Run the same command in the background, and show its progress here."""
    from local.progress_file import ProgressWatcher  # noqa: PLC0415
    from local.supervisor.detach import detach  # noqa: PLC0415

    file = request.folder / _PROGRESS
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "local.entry", "up", *request.options(), "--progress-file", str(file)]
    with ProgressWatcher(file, "Bring the local cloud up") as watcher:
        return detach(command, request.folder, watch=watcher.look)


def _tell(folder: Path, state: "State", *, as_json: bool) -> None:
    if as_json:
        from local.supervisor.status import status  # noqa: PLC0415

        print_json(status(folder).as_dict())
        sys.stdout.flush()
        return
    print_facts(
        "Ebb is up",
        {
            "gateway": state.url,
            "release": f"{state.contract}/{state.release}" if state.release else "none yet: predictions answer 503",
            "valkey": f"127.0.0.1:{state.ports.valkey}",
            **({"replica": f"127.0.0.1:{state.ports.replica}"} if state.ports.replica else {}),
            "postgres": f"127.0.0.1:{state.ports.postgres}",
            **_refused(folder, state),
        },
    )
    if state.release:
        next_step("ebb score ENTITY_ID --explain", "ebb token --client me", "ebb status", "ebb down")
    else:
        next_step("ebb train --contract CONTRACT --data DATA", "ebb down")
    sys.stdout.flush()


def _refused(folder: Path, state: "State") -> dict[str, str]:
    """Return where the rows stand that were refused while it came up, if there are any."""
    from local.loading.refused import written_since  # noqa: PLC0415
    from local.loading.running import LOADS  # noqa: PLC0415

    files = written_since(folder / LOADS, datetime.fromisoformat(state.started_at).timestamp())
    return {"refused rows": ", ".join(str(path) for path in files)} if files else {}
