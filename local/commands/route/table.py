"""A routing table, for people: as the route tells it, with moments and shares that can be read."""

from typing import Annotated, Any

import typer

from local.commands.subject.arguments import told_time
from local.terminal import console, plain, print_json, print_table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="A release, by its version (12 hex digits).")]

_CHANGES = 5
"""The last changes that people are shown."""


def print_routing(document: dict[str, Any], *, as_json: bool) -> None:
    """Print the table and what else the route said of it.

    Args:
        document: the route's answer.
        as_json: print it as it is.
    """
    if as_json:
        print_json(document)
        return
    title = f"Routing table of {document['contract']}, version {document['version']}"
    rows = [_row(role) for role in document["roles"]]
    print_table(title, ["role", "release", "weight", "slots", "more", "since (UTC)"], rows)
    changes = document["changes"][:_CHANGES]
    told = [(c["version"], c["action"], c["client"], _when(c["at"])) for c in changes]
    print_table("Last changes", ["version", "action", "by", "when (UTC)"], told)
    for note in document.get("notes", ()):
        console.print(plain(f"Note: {note}"))


def _row(role: dict[str, Any]) -> tuple[str, ...]:
    weight = f"{role['weight']:.2%}" if "weight" in role else "-"
    slots = f"{role['slots']:,}" if "slots" in role else "-"
    return role["role"], role["release"], weight, slots, _more(role), _when(role["since"])


def _when(epoch_seconds: float) -> str:
    return told_time(epoch_seconds).removesuffix("+00:00")


def _more(role: dict[str, Any]) -> str:
    if role.get("margin"):
        return f"hard cases go on: margin {role['margin']:g}"
    return f"at most {role['budget_ms']:g} ms" if "budget_ms" in role else ""
