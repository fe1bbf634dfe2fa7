"""The database's administrator, through the RDS Data API: no way into the network is needed."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from ebb.errors import Unavailable
from local.deploying.deployment import Deployment
from local.deploying.words import AwsRefused

DATABASE = "ebb"
_T = TypeVar("_T")
_STARTING = frozenset(
    {
        "DatabaseResumingException",
        "DatabaseUnavailableException",
        "InvalidResourceStateException",
        "ServiceUnavailableError",
        "InternalServerErrorException",
    }
)


def run_statement(at: Deployment, sql: str) -> list[list[Any]]:
    """Run one statement and return its rows.

    Raises:
        AwsRefused: the Data API refuses, or the database does.
        NotThere: the stack does not stand.
    """
    answer = at.aws.call(
        "rds-data",
        "execute_statement",
        resourceArn=at.output("feature-store", "ClusterArn"),
        secretArn=at.output("feature-store", "AdministratorArn"),
        database=DATABASE,
        sql=sql,
    )
    return [[_value(field) for field in row] for row in answer.get("records") or []]


def when_started(at: Deployment, ask: Callable[[], _T]) -> _T:
    """Ask the database, and again as long as it is starting.

    Raises:
        Unavailable: it has not started in time.
        AwsRefused: it refuses.
    """
    until = time.monotonic() + at.patience.database
    with at.progress.step("Waiting for the database", 1):
        while True:
            try:
                return ask()
            except AwsRefused as error:
                if not starting(error):
                    raise
                told = error.code
            if time.monotonic() > until:
                raise Unavailable(
                    f"the database has not started within {at.patience.database:.0f} s ({told}): look at its cluster "
                    "in the RDS console, then run the same command, it goes on"
                )
            time.sleep(at.patience.poll)


def starting(error: AwsRefused) -> bool:
    """Tell whether the database is paused or on its way up."""
    told = error.told.lower()
    return error.code in _STARTING or "resuming" in told or "communications link failure" in told


def _value(field: dict[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
