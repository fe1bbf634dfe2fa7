"""`ebb subject show`: what is held of one entity."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from local.commands.stage_option import Stage
from local.commands.subject.arguments import AsJson, EntityId, check_id, told_time
from local.terminal import console, counted, plain, print_facts, print_json, print_table

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
At = Annotated[
    datetime | None, typer.Option(help="Also show what was true then (UTC).", formats=_MOMENTS, metavar="TIME")
]
KnownAt = Annotated[
    datetime | None, typer.Option(help="As far as it was known then (UTC).", formats=_MOMENTS, metavar="TIME")
]


def show(
    entity_id: EntityId, *, at: At = None, known_at: KnownAt = None, stage: Stage = None, as_json: AsJson = False
) -> None:
    """Show everything that is held of one entity: values, history, accesses. The look is recorded.

    Examples:  ebb subject show ID-000001 --json
               ebb subject show ID-000001 --stage prod
               ebb subject show ID-000001 --at 2026-11-01 --known-at 2026-11-02T12:00:00
    """
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick

    check_id(entity_id)
    given = {"event_time": at, "ingested_at": known_at}
    moments = {name: _seconds(moment) for name, moment in given.items() if moment is not None}
    document = caller_of(stage).show_subject(entity_id, moments)
    if as_json:
        print_json(document)
        return
    _print(document)


def _print(document: dict[str, Any]) -> None:
    current = document["current"] or {"version": 0, "erased_at": None, "features": {}}
    facts = {
        "version": current["version"],
        "erased": told_time(current["erased_at"]) if current["erased_at"] else "never",
        "fast tier": document["fast_tier"]["state"],
        "history": counted(len(document["history"]), "write"),
    }
    print_facts(f"Entity {document['entity_id']}", facts)
    _print_features("Features", current["features"])
    if "known_at" in document:
        known = document["known_at"]
        when = f"True at {told_time(known['event_time'])}, as known at {told_time(known['ingested_at'])}"
        _print_features(when, known["features"])
    looks = [(told_time(each["at"]), each["client"], each["action"]) for each in document["accesses"]]
    print_table("Accesses", ["when", "client", "what"], looks)
    console.print(plain("The whole history stands in the JSON (--json)."))


def _print_features(title: str, features: dict[str, Any]) -> None:
    if not features:
        console.print(plain(f"{title}: nothing"))
        return
    rows = [(name, _shown(held["value"]), told_time(held["event_time"])) for name, held in features.items()]
    print_table(title, ["feature", "value", "true since"], rows)


def _shown(value: Any) -> str:
    return "missing" if value is None or value == "" else str(value)


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
