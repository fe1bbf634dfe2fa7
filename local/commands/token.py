"""`ebb token`: a token for the gateway of this machine, or of a stage."""

from typing import Annotated

import typer

from ebb.http.scopes import EXPLAIN, PREDICT, SCOPES
from local.commands.stage_option import Stage
from local.terminal import print_json

_DEFAULT = (PREDICT, EXPLAIN)


def token(
    client: Annotated[str, typer.Option(help="Name of the client; of a stage, one of its clients.")],
    scope: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(SCOPES)}; may be repeated.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="How long the token is valid.")] = 60,
    *,
    stage: Stage = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Mint a token for the local gateway, or ask a stage for one; without --scope it allows predict and explain.

    A token of a stage allows without --scope whatever its client may, and is valid as long as the stage says.

    Examples:  curl -H "authorization: Bearer $(ebb token --client me)" localhost:8080/v1/releases
               ebb token --stage dev --client scoring
    """
    from local.calling.local_cloud import mint  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.calling.stage_token import stage_token  # noqa: PLC0415

    unknown = [name for name in scope or () if name not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(SCOPES)}", param_hint="--scope")
    if stage is not None:
        minted = stage_token(stage, client, tuple(scope or ()))
    else:
        minted = mint(client, tuple(scope or _DEFAULT), minutes)
    if as_json and stage is None:
        print_json({"token": minted, "client": client, "scopes": tuple(scope or _DEFAULT), "minutes": minutes})
    elif as_json:
        print_json({"token": minted, "client": client, "stage": stage})
    else:
        print(minted)  # noqa: T201 - a bare token, for command substitution
