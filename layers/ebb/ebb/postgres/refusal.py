"""What the client library raises, in Ebb's own words, and the server's codes for why it refuses (SQLSTATE)."""

import pg8000.native

from ebb.errors import Unavailable

GIVEN_UP = "57014"
"""A statement took longer than its time."""

LOCKED = "55P03"
"""A lock was not to be had in time."""

NO_PARTITION = "23514"
"""No partition takes the row."""

NO_TABLE = "42P01"
"""The table is not there."""

_NO_ENTRY = frozenset({"28000", "28P01"})
"""The user may not enter, or the password is wrong."""


class Refused(Unavailable):
    """Postgres answered, and said no.

    Attributes:
        code: its SQLSTATE, five characters; empty where it gave none.
    """

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        # A statement that the server gave up, since nobody waits so long, was never answered.
        super().__init__(message, timeout=code == GIVEN_UP)


def unavailable(error: BaseException) -> Unavailable | None:
    """Return what failed in Ebb's own words; None where it is not Postgres that failed."""
    match error:
        case pg8000.native.DatabaseError():
            told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
            return Refused(f"Postgres refused: {told.get('M') or 'no reason given'}", told.get("C", ""))
        case pg8000.native.InterfaceError() | OSError():
            silent = isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
            return Unavailable(f"Postgres does not answer ({type(error).__name__})", timeout=silent)
        case _:
            return None


def refuses_login(error: pg8000.native.DatabaseError) -> bool:
    """Tell whether the server refused user and password, and not a statement."""
    return bool(error.args) and isinstance(error.args[0], dict) and error.args[0].get("C") in _NO_ENTRY
