"""`ebb subject erase`: one entity, in every tier, for good."""

import sys
from typing import Annotated

import typer

from ebb.errors import Misuse
from local.commands.stage_option import Stage
from local.commands.subject.arguments import AsJson, EntityId, check_id, told_time
from local.terminal import console, next_step, print_facts, print_json


def erase(
    entity_id: EntityId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stage: Stage = None,
    as_json: AsJson = False,
) -> None:
    """Erase one entity in every tier, for good; events from before are never held again.

    Examples:  ebb subject erase ID-000001 --yes
               ebb subject erase ID-000001 --stage prod --yes
    """
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.loading.refused import scrub  # noqa: PLC0415
    from local.loading.running import LOADS  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415

    check_id(entity_id)
    caller = caller_of(stage)
    if not yes:
        _confirm()
    document = caller.erase_subject(entity_id)
    document["refused_rows"] = scrub(state_folder() / LOADS, [entity_id])
    if as_json:
        print_json(document)
        return
    facts = {
        "durable tier": document["durable_tier"],
        "fast tier": "erased" if document["fast_tier"] == "erased" else "not all of it yet: it is told when it answers",
        "refused rows": f"{document['refused_rows']:,} lines removed",
        "caches clear": told_time(clear) if (clear := document["caches_clear_at"]) else "a minute after that",
    }
    print_facts("Erased", facts)
    next_step("ebb check" if stage is None else f"ebb subject show {entity_id} --stage {stage}")


def _confirm() -> None:
    """Ask on a terminal.

    Raises:
        Misuse: nobody can be asked.
        typer.Exit: the answer was no.
    """
    if not sys.stdin.isatty():
        raise Misuse("erasing cannot be undone: confirm it with --yes")
    if not typer.confirm("Erase this entity in every tier, for good?", err=True):
        console.print("Nothing was erased.")
        raise typer.Exit(1)
