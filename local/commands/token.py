"""`ebb token`: a token for the gateway of this machine."""

from typing import Annotated

import typer

from ebb.http.scopes import EXPLAIN, PREDICT, SCOPES
from local.terminal import print_json

_DEFAULT = (PREDICT, EXPLAIN)


def token(
    client: Annotated[str, typer.Option(help="Name of the client; stands in the token.")],
    scope: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(SCOPES)}; may be repeated.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="How long the token is valid.")] = 60,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Mint a token for the local gateway; without --scope it allows predict and explain.

    Example:  curl -H "authorization: Bearer $(ebb token --client me)" localhost:8080/v1/releases
    """
    from local.caller import mint  # noqa: PLC0415 - keeps `ebb --help` quick

    scopes = tuple(scope) if scope else _DEFAULT
    unknown = [name for name in scopes if name not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(SCOPES)}", param_hint="--scope")
    minted = mint(client, scopes, minutes)
    if as_json:
        print_json({"token": minted, "client": client, "scopes": scopes, "minutes": minutes})
    else:
        print(minted)  # noqa: T201 - a bare token, for command substitution
