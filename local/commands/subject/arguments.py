"""What the commands about one entity have in common: their arguments, and moments for people."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from ebb.errors import Misuse

EntityId = Annotated[str, typer.Argument(metavar="ENTITY_ID", help="Whom.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def check_id(entity_id: str) -> None:
    """Refuse a text that names no entity.

    Raises:
        Misuse: it is too long, or not printable.
    """
    from ebb.entity_id import LONGEST, is_entity_id  # noqa: PLC0415 - keeps `ebb --help` quick

    if not is_entity_id(entity_id):
        raise Misuse(f"an ENTITY_ID is a text of 1 to {LONGEST} printable characters")


def told_time(epoch_seconds: float) -> str:
    """Return a moment for people; one that no calendar holds as it is."""
    try:
        return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(sep=" ", timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return f"{epoch_seconds:g}"
