"""Where prediction events go, as protocols."""

from collections.abc import Sequence
from typing import Protocol

from ebb.events.event import PredictionEvent


class EventRecorder(Protocol):
    """Makes events durable before their answers leave."""

    def record(self, events: Sequence[PredictionEvent]) -> None:
        """Seal, chain and write events, in order.

        Raises:
            Unavailable: they could not be written; the answers must not leave.
        """


class EventSink(Protocol):
    """Takes finished events."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Write events, one JSON text each, without newlines in them; all are durable when this returns.

        Raises:
            Unavailable: they are not.
        """
