"""The walk itself: Alembic without its ini file and its environment script."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from ebb.errors import Misuse, Unavailable
from ebb.postgres.address import PostgresAddress

_LOCK = 0x0EBB_0001
"""Names the advisory lock that one migration at a time holds."""

_SECONDS = 600.0
"""Longest wait for another migration, or for one statement of a step."""


def walk(address: PostgresAddress, steps: Path, versions: Sequence[str], target: str) -> str:
    """Walk from the version that stands to `target`, and return the one that stood.

    Args:
        address: the database.
        steps: the folder that holds `versions`.
        versions: all of them, `base` first.
        target: one of them.

    Raises:
        Misuse: the database is of a newer Ebb.
        Unavailable: Postgres does not answer or a step failed; the version of the last step that succeeded stands.
    """
    login = address.login()
    user = login.username or address.user
    url = URL.create("postgresql+pg8000", user, login.password, address.host, address.port, address.database)
    how = {"timeout": _SECONDS, "ssl_context": address.tls or False}
    engine = create_engine(url, poolclass=NullPool, connect_args=how)
    try:
        with engine.connect() as connection:
            # Held by the session: it ends with the connection, however that ends.
            connection.exec_driver_sql(f"select pg_advisory_lock({_LOCK})")
            # A step must not wait behind a long transaction while all others wait behind the step.
            connection.exec_driver_sql("set lock_timeout = '5s'")
            connection.commit()
            return _walk_locked(connection, steps, versions, target)
    except DBAPIError as error:
        told = error.orig.args[0] if error.orig is not None and error.orig.args else ""
        reason = told.get("M", "") if isinstance(told, dict) else str(told)
        raise Unavailable(f"the migration to {target} failed: {reason}; the step before it stands") from None
    finally:
        engine.dispose()


def _walk_locked(connection: Connection, steps: Path, versions: Sequence[str], target: str) -> str:
    scripts, stood = ScriptDirectory(str(steps)), "base"

    def between(revision: Any, _context: Any) -> Any:
        nonlocal stood
        stood = _only(revision)
        if stood not in versions:
            raise Misuse(f"the database is at schema version {stood}, which this Ebb does not know: use a newer one")
        # What `alembic upgrade` and `alembic downgrade` call; there is no public name for it.
        steps_of: Callable[..., Any] = (
            scripts._upgrade_revs  # noqa: SLF001
            if versions.index(stood) <= versions.index(target)
            else scripts._downgrade_revs  # noqa: SLF001
        )
        return steps_of(target, revision)

    with EnvironmentContext(Config(), scripts, fn=between, destination_rev=target) as environment:
        environment.configure(connection=connection, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
    return stood


def _only(revision: Any) -> str:
    heads = [revision] if isinstance(revision, str) else list(revision or [])
    return str(heads[0]) if heads else "base"
