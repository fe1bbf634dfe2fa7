"""`ebb subject`: what is held of one entity, and its erasure."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ebb.errors import Misuse
from local.terminal import console, next_step, plain, print_facts, print_json, print_table

EntityId = Annotated[str, typer.Argument(metavar="ENTITY_ID", help="Whom.")]
_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
At = Annotated[
    datetime | None, typer.Option(help="Also show what was true then (UTC).", formats=_MOMENTS, metavar="TIME")
]
KnownAt = Annotated[
    datetime | None, typer.Option(help="As far as it was known then (UTC).", formats=_MOMENTS, metavar="TIME")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def show(entity_id: EntityId, *, at: At = None, known_at: KnownAt = None, as_json: AsJson = False) -> None:
    """Show everything that is held of one entity: values, history, accesses. The look is recorded.

    Examples:  ebb subject show ID-000001 --json
               ebb subject show ID-000001 --at 2026-11-01 --known-at 2026-11-02T12:00:00
    """
    from local.caller import show_subject  # noqa: PLC0415 - keeps `ebb --help` quick

    _check(entity_id)
    given = {"event_time": at, "ingested_at": known_at}
    moments = {name: _seconds(moment) for name, moment in given.items() if moment is not None}
    document = show_subject(entity_id, moments)
    if as_json:
        print_json(document)
        return
    _print(document)


def erase(
    entity_id: EntityId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase one entity in every tier, for good; events from before are never held again.

    Example:  ebb subject erase ID-000001 --yes
    """
    from local.caller import erase_subject, local_cloud  # noqa: PLC0415
    from local.loading.refused import scrub  # noqa: PLC0415
    from local.loading.running import LOADS  # noqa: PLC0415
    from local.supervisor.state import state_folder  # noqa: PLC0415

    _check(entity_id)
    local_cloud()
    if not yes:
        _confirm()
    document = erase_subject(entity_id)
    document["refused_rows"] = scrub(state_folder() / LOADS, [entity_id])
    if as_json:
        print_json(document)
        return
    facts = {
        "durable tier": document["durable_tier"],
        "fast tier": "erased" if document["fast_tier"] == "erased" else "does not answer: erased when it is back",
        "refused rows": f"{document['refused_rows']:,} lines removed",
        "caches clear": _time(clear) if (clear := document["caches_clear_at"]) else "a minute after that",
    }
    print_facts("Erased", facts)
    next_step("ebb check")


def _check(entity_id: str) -> None:
    from ebb.entity_id import LONGEST, is_entity_id  # noqa: PLC0415

    if not is_entity_id(entity_id):
        raise Misuse(f"an ENTITY_ID is a text of 1 to {LONGEST} printable characters")


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


def _print(document: dict[str, Any]) -> None:
    current = document["current"] or {"version": 0, "erased_at": None, "features": {}}
    facts = {
        "version": current["version"],
        "erased": _time(current["erased_at"]) if current["erased_at"] else "never",
        "fast tier": document["fast_tier"]["state"],
        "history": f"{len(document['history']):,} write{'s' if len(document['history']) != 1 else ''}",
    }
    print_facts(f"Entity {document['entity_id']}", facts)
    _print_features("Features", current["features"])
    if "known_at" in document:
        known = document["known_at"]
        when = f"True at {_time(known['event_time'])}, as known at {_time(known['ingested_at'])}"
        _print_features(when, known["features"])
    looks = [(_time(each["at"]), each["client"], each["action"]) for each in document["accesses"]]
    print_table("Accesses", ["when", "client", "what"], looks)
    console.print(plain("The whole history stands in the JSON (--json)."))


def _print_features(title: str, features: dict[str, Any]) -> None:
    if not features:
        console.print(plain(f"{title}: nothing"))
        return
    rows = [(name, _shown(held["value"]), _time(held["event_time"])) for name, held in features.items()]
    print_table(title, ["feature", "value", "true since"], rows)


def _shown(value: Any) -> str:
    return "missing" if value is None or value == "" else str(value)


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()


def _time(epoch_seconds: float) -> str:
    """Return a moment for people; one that no calendar holds as it is."""
    try:
        return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(sep=" ", timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return f"{epoch_seconds:g}"
