"""Bring a database's schema to a version: the steps of `versions`, by Alembic, one transaction a step."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ebb.errors import Misuse
from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.refusal import NO_TABLE, Refused

HERE = Path(__file__).parent
_SECONDS = 10.0


@dataclass(frozen=True)
class Migrated:
    """The schema's version before and after; `base` where there is none."""

    before: str
    after: str


def migrate(address: PostgresAddress, *, to: str = "head", steps: Path = HERE) -> Migrated:
    """Walk the steps between the version that stands and `to`, forward or back; one migration at a time.

    Args:
        address: the database whose schema it is.
        to: `head`, `base`, or the number of a step.
        steps: the folder that holds `versions`.

    Raises:
        Misuse: there is no such version.
        Unavailable: Postgres does not answer or a step failed; the version of the last step that succeeded stands.
    """
    versions = ["base", *sorted(path.name[1:5] for path in (steps / "versions").glob("v[0-9]*.py"))]
    target = versions[-1] if to == "head" else to
    if target not in versions:
        raise Misuse(f"there is no schema version {to!r}: say head, or one of {', '.join(versions)}")
    before = _version(PostgresConnection(address, timeout=_SECONDS))
    if before == target:
        return Migrated(before, before)
    # Most calls end above, and Alembic takes long to import.
    from lambdas.migrate.walk import walk  # noqa: PLC0415

    return Migrated(walk(address, steps, versions, target), target)


def preload() -> None:
    """Import what a walk needs, for whoever would otherwise only wait for a server to start."""
    import_module("lambdas.migrate.walk")


def _version(connection: PostgresConnection) -> str:
    try:
        rows = connection.query("select version_num from alembic_version")
    except Refused as error:
        if error.code != NO_TABLE:
            raise
        rows = []
    finally:
        connection.close()
    return str(rows[0][0]) if rows else "base"
