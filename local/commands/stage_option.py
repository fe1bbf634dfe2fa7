"""The option by which a command works on a stage instead of the local cloud."""

from typing import Annotated

import typer

Stage = Annotated[
    str | None,
    typer.Option("--stage", metavar="STAGE", help="Work on dev, staging or prod instead of the local cloud."),
]


def at(stage: str | None) -> str:
    """Return the option as it is repeated in a next step."""
    return "" if stage is None else f" --stage {stage}"
