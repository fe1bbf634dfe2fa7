"""`ebb status`: what is up."""

from typing import Annotated

import typer

from local.terminal import console, next_step, print_facts, print_json, print_table


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
        console.print(f"Nothing is up in {state_folder()} (EBB_HOME names another folder).", markup=False)
        next_step("ebb up")
    else:
        _print_status(found.as_dict())
    if not found.up:
        raise typer.Exit(1)


def _print_status(facts: dict[str, object]) -> None:
    processes, environments = facts["processes"], facts["environments"]
    assert isinstance(environments, dict)  # noqa: S101 - as as_dict promises
    shown = {
        "up": "yes" if facts["up"] else "no",
        "gateway": facts["url"],
        "release": f"{facts['contract']}/{facts['release']}" if facts["release"] else "none yet",
        "since": facts["started_at"],
        "environments": ", ".join(f"{count} of {name}" for name, count in environments.items()),
    }
    print_facts("Local cloud", shown)
    assert isinstance(processes, dict)  # noqa: S101 - as as_dict promises
    rows = [
        (name, p["pid"], "yes" if p["alive"] else "no", p["restarts"] if "/" not in name else "-")
        for name, p in processes.items()
    ]
    print_table("Processes", ["name", "process id", "alive", "restarts"], rows)
    first = "ebb score ENTITY_ID" if facts["release"] else "ebb train --contract CONTRACT --data DATA"
    next_step(first, "ebb down")
