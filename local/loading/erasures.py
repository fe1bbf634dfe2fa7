"""Erased subjects leave the files of refused rows, however they were erased."""

from collections.abc import Collection
from pathlib import Path

from ebb.postgres.connection import PostgresConnection
from local.loading.database import connect
from local.loading.refused import SUFFIX, scrub
from local.supervisor.servers import Servers

_ERASED = "select entity_id from features where erased_at is not null"


def scrub_erased(servers: Servers, database: str, loads: Path) -> int:
    """Remove every subject that was ever erased from the files of all loads, and return how many lines there were.

    Raises:
        Unavailable: Postgres does not answer, or a file cannot be written.
    """
    if not any(loads.glob(f"*{SUFFIX}")):
        return 0
    connection = connect(servers, database)
    try:
        return scrub(loads, erased_subjects(connection))
    finally:
        connection.close()


def erased_subjects(connection: PostgresConnection) -> Collection[str]:
    """Return all that were ever erased.

    Raises:
        Unavailable: Postgres does not answer.
    """
    return frozenset(row[0] for row in connection.query(_ERASED))
