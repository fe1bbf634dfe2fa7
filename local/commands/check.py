"""`ebb check`: whether the tiers of the feature store agree."""

from typing import Annotated, Any

import typer

from local.terminal import TerminalProgress, console, counted, next_step, print_facts, print_json, print_table


def check(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Compare everything that Valkey holds with Postgres. Exit code 1 when they disagree.

    Example:  ebb check --json
    """
    from local.check_tiers import check_tiers  # noqa: PLC0415 - keeps `ebb --help` quick

    found = check_tiers(TerminalProgress())
    if as_json:
        print_json(found)
    else:
        _print(found)
    if not found["agrees"]:
        raise typer.Exit(1)


def _print(found: dict[str, Any]) -> None:
    facts = {
        "agree": "yes" if found["agrees"] else "no",
        "in Valkey": f"{found['checked']:,} entities, {found['tombstones']:,} of them erased",
        "only in Postgres": f"{found['cold']:,} (cold: read and put back when asked for)",
        "still to be told": counted(found["pending"], "write"),
    }
    print_facts("Tiers", facts)
    if found["agrees"]:
        next_step("ebb status")
        return
    print_table("Disagree", ["how", "entities"], sorted(found["disagree"].items()))
    rows = [(each["subject"], each["what"], each["fast"], each["durable"]) for each in found["examples"]]
    print_table("Examples", ["pseudonym", "how", "version in Valkey", "version in Postgres"], rows)
    console.print("What is older is told anew by the maintenance within a minute.")
    next_step("ebb check")
