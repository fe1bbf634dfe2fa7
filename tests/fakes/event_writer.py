"""A process that records prediction events on its standard output, as an environment does: `... COUNT [BATCH]`."""

import os
import sys

from ebb.event_log.log_sink import LogSink
from ebb.event_log.recorder import EventLog
from ebb.event_log.sealing import Sealer
from ebb.events.chain import Chain
from tests.fakes.prediction_events import SECRET, made_event


def main(count: int, batch: int) -> None:
    """Record so many events, so many at a time, once standard input is closed."""
    log = EventLog(LogSink(), Sealer(SECRET), Chain(os.urandom(8).hex()))
    sys.stdin.read()
    for start in range(0, count, batch):
        log.record([made_event(entity_id=f"c-{number}") for number in range(start, min(start + batch, count))])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
