"""The change feed of the durable tier, as protocols: what a region that follows reads, and what the primary keeps.

A place in the feed is a transaction and a number within it. Transactions become visible in another order than they
were numbered in; but below the horizon of a look every one is decided, and seen if it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ebb.ports.records import FeatureRecord

Place = tuple[int, int]
"""A transaction, and a change's number in the feed."""


@dataclass(frozen=True)
class FeedPage:
    """One look at the feed, all of one moment of one server.

    Attributes:
        generation: names an unbroken recording; empty while nothing is recorded.
        pruned: changes of transactions below this one are gone.
        horizon: every transaction below this one is decided, and what it changed is seen.
        last: the place of the last change of this page; None where nothing lies behind the place that was asked.
        age: seconds since that change, or since the newest one of all where `last` is None; None where there is none.
        records: what is held now of the entities that changed, tombstones too.
    """

    generation: str
    pruned: int
    horizon: int
    last: Place | None = None
    age: float | None = None
    records: Mapping[str, FeatureRecord] = field(default_factory=dict)


@dataclass(frozen=True)
class Position:
    """How far a fast tier was told.

    Attributes:
        generation: of the feed.
        transaction: all changes of those below were told.
    """

    generation: str
    transaction: int

    def holds(self, page: FeedPage) -> bool:
        """Say whether the feed that a page is of still has everything from here on."""
        return self.generation == page.generation and self.transaction >= page.pruned


class ChangeFeed(Protocol):
    """The feed, for whoever follows; any two calls may be answered by different servers."""

    def look(self, after: Place) -> FeedPage:
        """Return some changes behind a place, in the order of places.

        Raises:
            Unavailable: the tier does not answer, or its schema has no feed.
        """

    def since(self, seconds: float) -> int:
        """Return a transaction at or before every one that changed anything in the last `seconds`, or ever will.

        Raises:
            Unavailable: see `look`.
        """


class RecordedChanges(Protocol):
    """The feed, for the region that is followed."""

    def record(self, *, followed: bool) -> bool:
        """Record changes from now on, or none any more; say whether that is new.

        Raises:
            Unavailable: the tier does not answer.
        """

    def beat(self) -> None:
        """Leave a sign of life, which changes nobody.

        Raises:
            Unavailable: the tier does not answer.
        """

    def prune(self, older_than: float) -> int:
        """Forget some of the changes that are older than so many seconds; return how many, 0 where none is.

        Raises:
            Unavailable: the tier does not answer.
        """
