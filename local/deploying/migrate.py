"""Step `migrate`: the schema, brought to its newest version by the function in the network."""

import json
import time
from pathlib import Path
from typing import Any

from ebb.errors import EbbError
from local.deploying.database import run_statement
from local.deploying.deployment import Deployment
from local.deploying.step import Outcome
from local.deploying.words import AwsRefused

_VERSIONS = Path(__file__).resolve().parents[2] / "lambdas/migrate/versions"
_NO_TABLE = "alembic_version"
_BUSY = frozenset({"TooManyRequestsException", "ResourceConflictException", "EC2ThrottledException"})
_SECONDS = 910.0
"""A little more than Lambda lets the function work."""


class NotMigrated(EbbError):
    """The schema is not at its newest version."""


class Migrate:
    """The step."""

    name = "migrate"

    def look(self, at: Deployment) -> Outcome:
        """Ask the database which version its schema has."""
        newest = max(path.name[1:5] for path in _VERSIONS.glob("v[0-9]*.py"))
        if at.offline or at.stack("feature-store") is None:
            return Outcome("would", f"would bring the schema to {newest}")
        stands = _stands(at)
        if stands == newest:
            return Outcome("already", f"the schema is at {newest}")
        return Outcome("would", f"would bring the schema from {stands} to {newest}")

    def take(self, at: Deployment) -> Outcome:
        """Invoke the function, and say from where to where it went."""
        told = _invoke(at, at.output("feature-store", "MigrateName"))
        before, after = told.get("from"), told.get("to")
        if before == after:
            return Outcome("already", f"the schema is at {after}")
        return Outcome("done", f"the schema went from {before} to {after}")


def _stands(at: Deployment) -> str:
    try:
        rows = run_statement(at, "select version_num from alembic_version")
    except AwsRefused as error:
        if _NO_TABLE in error.told:
            return "base"
        raise
    return str(rows[0][0]) if rows else "base"


def _invoke(at: Deployment, name: str) -> dict[str, Any]:
    """Invoke it, again as long as another migration is under way."""
    until = time.monotonic() + at.patience.database
    with at.progress.step("Migrating", 1):
        while True:
            try:
                answer = at.aws.call(
                    "lambda",
                    "invoke",
                    patience=_SECONDS,
                    FunctionName=name,
                    Payload=json.dumps({"to": "head"}).encode(),
                )
                break
            except AwsRefused as error:
                if error.code not in _BUSY or time.monotonic() > until:
                    raise
            time.sleep(at.patience.poll)
    told: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        why = str(told.get("errorMessage", "it said nothing of why"))[:400].rstrip(".")
        raise NotMigrated(f"the function {name} failed: {why}; its log tells more, and the same command goes on")
    return told
