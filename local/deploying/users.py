"""Step `users`: the users of the database, made by its administrator."""

from pathlib import Path

from local.deploying.database import run_statement, when_started
from local.deploying.deployment import Deployment
from local.deploying.step import Outcome

_SQL = Path(__file__).resolve().parents[2] / "lambdas/migrate/users.sql"
_OURS = "select cast(rolname as text) from pg_roles where rolname in ('ebb', 'ebb_reader') order by 1"
_NAMES = ["ebb", "ebb_reader"]


class Users:
    """The step. The statement is run each time, as a newer Ebb may grant more; again it changes nothing."""

    name = "users"

    def look(self, at: Deployment) -> Outcome:
        """Ask which users there are."""
        if at.offline or at.stack("feature-store") is None:
            return Outcome("would", f"would make the users {' and '.join(_NAMES)} of the database")
        if _there(at):
            return Outcome("already", "the users are there; their rights would be granted again")
        return Outcome("would", f"would make the users {' and '.join(_NAMES)} of the database")

    def take(self, at: Deployment) -> Outcome:
        """Make the users, and grant them their rights."""
        there = when_started(at, lambda: _there(at))
        run_statement(at, _SQL.read_text())
        if there:
            return Outcome("already", "the users are there, with all their rights")
        return Outcome("done", f"made the users {' and '.join(_NAMES)}, who enter by IAM")


def _there(at: Deployment) -> bool:
    return [row[0] for row in run_statement(at, _OURS)] == _NAMES
