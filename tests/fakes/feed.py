"""The change feed in memory, with transactions that overlap and servers that lag (the contract suite runs on both)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from ebb.errors import Unavailable
from ebb.ports import FeatureRecord, FeedPage, Place

CHANGES = 1
"""Of one page: so few that every run takes several."""


@dataclass(frozen=True)
class _Event:
    """A transaction began, or ended: then with what it changed, where it did."""

    transaction: int
    ended: bool = False
    changes: tuple[Mapping[str, FeatureRecord], ...] = ()
    at: float = 0.0


@dataclass
class MemoryFeed:
    """A `ChangeFeed` and `RecordedChanges`; `away` makes it unreachable.

    Every look is answered by the server that `seen` chooses: it says how many of the events that happened have come
    there. A follower's reads may go to any of them.

    Attributes:
        clock: epoch seconds.
        seen: takes the number of events, and returns that of those that the asked server has seen.
    """

    clock: Callable[[], float] = time.time
    seen: Callable[[int], int] = lambda events: events
    away: bool = False
    generation: str = ""
    pruned: int = 0
    _events: list[_Event] = field(default_factory=list)
    _numbered: int = 0

    def begin(self) -> int:
        """Begin a transaction, and return its number."""
        self._numbered += 1
        self._events.append(_Event(self._numbered))
        return self._numbered

    def end(self, transaction: int, *changes: Mapping[str, FeatureRecord], began: float | None = None) -> None:
        """Commit a transaction with what it changed; without any it was none, or was taken back."""
        kept = changes if self.generation else ()
        self._events.append(_Event(transaction, True, kept, self.clock() if began is None else began))

    def changed(self, records: Mapping[str, FeatureRecord]) -> None:
        """Commit one change by itself."""
        self.end(self.begin(), records)

    def look(self, after: Place) -> FeedPage:
        self._answer()
        seen = self._events[: self.seen(len(self._events))]
        horizon = _horizon(seen)
        changes = [
            (place, event.at, event.changes[place[1] - 1])
            for event in seen
            for place in ((event.transaction, number + 1) for number in range(len(event.changes)))
            if event.transaction >= self.pruned
        ]
        changes.sort(key=lambda change: change[0])
        page = [change for change in changes if change[0] > after][:CHANGES]
        newest = page or changes
        age = self.clock() - newest[-1][1] if newest else None
        if not page:
            return FeedPage(self.generation, self.pruned, horizon, age=age)
        held = {entity_id: r for event in seen for change in event.changes for entity_id, r in change.items()}
        named = {entity_id for *_, change in page for entity_id in change}
        records = {entity_id: held[entity_id] for entity_id in named}
        return FeedPage(self.generation, self.pruned, horizon, page[-1][0], age, records)

    def since(self, seconds: float) -> int:
        self._answer()
        seen, since = self._events[: self.seen(len(self._events))], self.clock() - seconds
        recent = [event.transaction for event in seen if event.changes and event.at >= since]
        return min([*recent, _horizon(seen)])

    def record(self, *, followed: bool) -> bool:
        self._answer()
        if followed == bool(self.generation):
            return False
        self.generation = str(uuid4()) if followed else ""
        if not followed:
            self._events = [_Event(e.transaction, e.ended) for e in self._events]
        return True

    def beat(self) -> None:
        self._answer()
        self.changed({})

    def prune(self, older_than: float) -> int:
        self._answer()
        cutoff = self.clock() - older_than
        old = [event for event in self._events if event.changes and event.at < cutoff]
        self._events = [_Event(e.transaction, e.ended) if e in old else e for e in self._events]
        self.pruned = max([self.pruned, *(event.transaction + 1 for event in old)])
        return sum(len(event.changes) for event in old)

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("the feed does not answer")


def _horizon(seen: list[_Event]) -> int:
    """Return the lowest transaction that is still under way, or the next that will begin."""
    ended = {event.transaction for event in seen if event.ended}
    begun = {event.transaction for event in seen}
    return min(begun - ended, default=max(begun, default=0) + 1)
