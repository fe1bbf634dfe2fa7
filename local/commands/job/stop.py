"""`ebb job stop`: SIGTERM to a job of this machine, and SIGKILL after its grace."""

from typing import Annotated

import typer

from local.terminal import console, print_json


def stop(
    name: Annotated[str, typer.Argument(help="The run, as `ebb job run` named it.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Stop a job of this machine; what it has trained so far stays in its checkpoints.

    Example:  ebb job stop ebb-train-2026-01-31-12-00-00-000
    """
    from local.jobs.executor import JOBS  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.jobs.executor import stop as ask  # noqa: PLC0415 - as above
    from local.supervisor.state import state_folder  # noqa: PLC0415 - as above

    status = ask(state_folder() / JOBS, name)
    if as_json:
        print_json(status.model_dump())
    elif status.over:
        console.print(f"{name} is over already: {status.status}", markup=False)
    else:
        console.print(f"{name} was asked to stop", markup=False)
