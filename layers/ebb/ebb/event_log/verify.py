"""Verifying a chain: what was taken out of it, put in, moved or altered since it was written.

No secret is needed. An open end is normal: environments vanish without a word.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ebb.event_log.reading import RecordedEvent
from ebb.events.chain import NOTHING

GAP, FORK, EDIT, REPEAT, ORDER = "gap", "fork", "edit", "repeat", "order"
"""Events are missing; two have one number; one is not what the next one's hash says; one is there twice; one stands
before its forerunner (which a store that keeps no order does by itself)."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a chain, between two of its numbers (both included).

    Attributes:
        kind: one of the above.
        environment: whose chain.
    """

    kind: str
    environment: str
    first: int
    last: int


def by_environment(events: Iterable[RecordedEvent]) -> Mapping[str, Sequence[RecordedEvent]]:
    """Sort events by their chain; each chain keeps the log's order."""
    chains: dict[str, list[RecordedEvent]] = {}
    for event in events:
        chains.setdefault(event.link.environment, []).append(event)
    return chains


def verify(chain: Sequence[RecordedEvent]) -> list[Finding]:
    """Return what is wrong with one environment's events, given in the log's order; nothing where all is well."""
    numbered: dict[int, list[RecordedEvent]] = {}
    for event in chain:
        numbered.setdefault(event.link.sequence, []).append(event)
    found = [*_order(chain), *_doubles(numbered), *_breaks(numbered)]
    return sorted(found, key=lambda finding: (finding.first, finding.kind))


def _order(chain: Sequence[RecordedEvent]) -> Iterator[Finding]:
    """Find events that stand before one with a smaller number."""
    for one, other in pairwise(chain):
        if other.link.sequence < one.link.sequence:
            yield Finding(ORDER, one.link.environment, other.link.sequence, one.link.sequence)


def _doubles(numbered: Mapping[int, Sequence[RecordedEvent]]) -> Iterator[Finding]:
    """Find numbers that more than one event has."""
    for number, events in numbered.items():
        different = len({event.line for event in events})
        if different < len(events):
            yield Finding(REPEAT, events[0].link.environment, number, number)
        if different > 1:
            yield Finding(FORK, events[0].link.environment, number, number)


def _breaks(numbered: Mapping[int, Sequence[RecordedEvent]]) -> Iterator[Finding]:
    """Find numbers that are missing, and events that are not what the next one says."""
    before, hashes = 0, {NOTHING}
    for number in sorted(numbered):
        events = numbered[number]
        environment = events[0].link.environment
        if number < 1:
            yield Finding(EDIT, environment, number, number)
            continue
        if number > before + 1:
            yield Finding(GAP, environment, before + 1, number - 1)
        elif not all(event.link.previous in hashes for event in events):
            yield Finding(EDIT, environment, max(before, 1), number)
        before, hashes = number, {event.link.after(event.line).previous for event in events}
