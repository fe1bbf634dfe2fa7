"""The months of the history, as a protocol."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Left:
    """What became of a month whose time had come.

    Attributes:
        dropped: the month that is gone; empty where none is.
        waiting: the month that somebody still reads, to be tried again; empty where none is.
    """

    dropped: str = ""
    waiting: str = ""


class HistoryMonths(Protocol):
    """The history, month by month."""

    def ensure(self, event_times: Iterable[float]) -> None:
        """Make the months of these moments (epoch seconds) where they are kept and absent.

        Raises:
            Unavailable: the tier does not answer.
        """

    def drop_expired(self) -> Left:
        """Let one month leave that is wholly older than what is kept; call it again until nothing left.

        Raises:
            Unavailable: the tier does not answer.
        """
