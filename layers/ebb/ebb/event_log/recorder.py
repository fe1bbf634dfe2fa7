"""Recording: events become sealed, chained lines in a sink before their answers leave."""

from collections.abc import Sequence
from threading import Lock

from ebb.event_log.lines import opened, packets
from ebb.event_log.sealing import Sealer
from ebb.events.chain import Chain
from ebb.events.event import PredictionEvent
from ebb.ports.events import EventSink


class EventLog:
    """An `EventRecorder` over a sink.

    Args:
        sink: takes the lines.
        sealer: closes the events.
        chain: of this environment.
    """

    def __init__(self, sink: EventSink, sealer: Sealer, chain: Chain) -> None:
        self._sink, self._sealer, self._chain = sink, sealer, chain
        self._lock = Lock()

    def record(self, events: Sequence[PredictionEvent]) -> None:
        """Seal, chain and write events, many to a line; no number is spent before the sink has them all.

        Raises:
            Unavailable: they could not be written; the answers must not leave, and the next events start a new chain.
            Misuse: an event's salt is none.
        """
        sealer = self._sealer
        with self._lock:
            link, lines = self._chain.next, list[bytes]()
            for some, contents in packets(events):
                open_part = opened(some, link, [sealer.pseudonym(event.entity_id) for event in some])
                line = sealer.close([event.salt for event in some], open_part, contents)
                link = link.after(line)
                lines.append(line)
            try:
                self._sink.write(lines)
            except BaseException:
                self._chain.leave()
                raise
            self._chain.advance(link)
