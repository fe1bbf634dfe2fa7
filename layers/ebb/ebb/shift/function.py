"""The function whose code is shifted, as a port."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

READY, FAILED = "READY", "FAILED"


@dataclass(frozen=True)
class Capacity:
    """The warm environments of one version.

    Attributes:
        asked: how many there are to be.
        allocated: how many there are.
        available: how many of them can answer.
        status: `IN_PROGRESS`, `READY` or `FAILED`.
        because: why it failed; empty otherwise.
    """

    asked: int
    allocated: int
    available: int
    status: str
    because: str = ""

    @property
    def current(self) -> int:
        """How many are needed, as far as this version tells: one that failed has what it has."""
        return self.allocated if self.status == FAILED else self.asked


class ShiftedFunction(Protocol):
    """One function with its versions and aliases."""

    def alias_version(self, alias: str) -> str:
        """Return the version that an alias names.

        Raises:
            Misuse: there is no such alias, or it may not be seen.
            Unavailable: Lambda does not answer.
        """

    def capacity(self, version: str) -> Capacity | None:
        """Return the warm environments of a version; None where none were ever asked for.

        Raises:
            Misuse, Unavailable: see `alias_version`.
        """

    def ask_capacity(self, version: str, count: int) -> None:
        """Ask for so many warm environments of a version; they come by and by.

        Raises:
            Misuse: there is no such version, or more are asked for than can be had.
            Unavailable: see `alias_version`.
        """

    def invoke(self, qualifier: str, event: Mapping[str, Any], seconds: float) -> Any:
        """Invoke a version, or what an alias names, and return its answer.

        Raises:
            Misuse: there is none such, or it may not be invoked.
            Unavailable: it did not answer within so many seconds, or failed.
        """
