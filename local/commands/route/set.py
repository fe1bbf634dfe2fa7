"""`ebb route set`: who stands beside the champion."""

from typing import Annotated, Any

import typer

from ebb.errors import Misuse
from local.commands.route.table import AsJson, print_routing
from local.commands.stage_option import Stage, at
from local.terminal import next_step

Challengers = Annotated[
    list[str] | None,
    typer.Option("--challenger", metavar="VERSION=WEIGHT", help="Tried on this share of entities; may be repeated."),
]
CheapRelease = Annotated[
    str | None,
    typer.Option("--cheap", metavar="VERSION[=WEIGHT]", help="Costs less, and answers this share (0.1 if not said)."),
]
Margin = Annotated[
    float | None,
    typer.Option(help="How far from the threshold a cheap answer must be to stand; nearer ones go to the champion."),
]
ShadowRelease = Annotated[
    str | None, typer.Option("--shadow", metavar="VERSION", help="Scores along, and never answers.")
]
Budget = Annotated[float | None, typer.Option("--budget-ms", help="Milliseconds that the shadow may take.")]
Nobody = Annotated[bool, typer.Option("--none", help="Nobody: the champion answers everybody.")]


def set_roles(
    challenger: Challengers = None,
    cheap: CheapRelease = None,
    margin: Margin = None,
    shadow: ShadowRelease = None,
    budget_ms: Budget = None,
    *,
    none: Nobody = False,
    stage: Stage = None,
    as_json: AsJson = False,
) -> None:
    """State who stands beside the champion. This names all of them: whoever is left out leaves.

    Entities move only as far as the weights demand: raising one takes over the missing share and no more.

    Examples:  ebb route set --challenger 0123456789ab=0.05 --cheap ba9876543210=0.1 --margin 0.1
               ebb route set --none --stage staging
    """
    from local.calling import caller_of  # noqa: PLC0415 - keeps `ebb --help` quick

    roles = _roles(challenger or [], cheap, margin, shadow, budget_ms)
    if none == bool(roles):
        raise Misuse("say who stands beside the champion (--challenger, --cheap, --shadow), or --none for nobody")
    print_routing(caller_of(stage).set_routing(roles), as_json=as_json)
    if not as_json:
        steps = ("ebb score ENTITY_ID", "ebb route show", "ebb route promote VERSION")
        next_step(*(step + at(stage) for step in steps))


def _roles(
    challengers: list[str], cheap: str | None, margin: float | None, shadow: str | None, budget_ms: float | None
) -> dict[str, Any]:
    """Return the body of the route."""
    if margin is not None and cheap is None:
        raise Misuse("--margin says when an answer of the cheap release stands: name that release with --cheap")
    if budget_ms is not None and shadow is None:
        raise Misuse("--budget-ms limits the shadow: name it with --shadow")
    roles: dict[str, Any] = {}
    if challengers:
        roles["challengers"] = [_weighted(text, "--challenger") for text in challengers]
    if cheap is not None:
        given = _weighted(cheap, "--cheap") if "=" in cheap else {"release": cheap}
        roles["cheap"] = given if margin is None else {**given, "margin": margin}
    if shadow is not None:
        roles["shadow"] = {"release": shadow} if budget_ms is None else {"release": shadow, "budget_ms": budget_ms}
    return roles


def _weighted(text: str, option: str) -> dict[str, Any]:
    release, _, weight = text.partition("=")
    try:
        return {"release": release, "weight": float(weight)}
    except ValueError:
        raise Misuse(f"{option} takes VERSION=WEIGHT, such as 0123456789ab=0.05, and not {text[:64]!r}") from None
