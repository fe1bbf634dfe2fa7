"""Following the durable tier of another region: what changed there is told to the fast tier here.

Why nothing is missed, though changes become visible in another order than their places: the position only moves to
the lowest horizon of the pages that were read. Every transaction below is decided and was seen by each of them; what
lies above, seen or not yet, is read again the next time. Telling a record twice is harmless, since the fast tier
compares versions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ebb.ports import ChangeFeed, FastWriter, FeedPage, Place, Position
from ebb.store.runs import runs


@dataclass(frozen=True)
class Followed:
    """How far a run came.

    Attributes:
        position: where the next run begins; None where the feed no longer has everything from the old one on.
        records: told to the fast tier.
        age: seconds since the last change that was told, or the newest there is; None where there is none.
        complete: whether all was told that is seen here.
    """

    position: Position | None
    records: int = 0
    age: float | None = None
    complete: bool = False


def follow(feed: ChangeFeed, fast: FastWriter, position: Position, may_go_on: Callable[[], bool]) -> Followed:
    """Tell the fast tier what changed since a position, page by page, and never less than one transaction.

    Args:
        feed: what changed, and the records of those who did.
        fast: compares versions, so that what it learnt since is not undone.
        position: where the last run stopped.
        may_go_on: asked before each further page, but for those of the first transaction.

    Raises:
        Unavailable: a tier does not answer; the next run begins at the old position.
    """
    place: Place = (position.transaction, 0)
    told, horizon = 0, None
    while True:
        page = feed.look(place)
        if not position.holds(page):
            return Followed(None, told)
        horizon = page.horizon if horizon is None else min(horizon, page.horizon)
        told += _tell(fast, page)
        if page.last is None:
            return Followed(_moved(position, horizon), told, page.age, complete=True)
        place = page.last
        # More of this very transaction may be left: a run gets past the one that it begins with.
        if place[0] > position.transaction and not may_go_on():
            return Followed(_moved(position, min(horizon, place[0])), told, page.age)


def _moved(position: Position, transaction: int) -> Position:
    """Never move back: another server may be further behind than the one that was asked before."""
    return Position(position.generation, max(position.transaction, transaction))


def _tell(fast: FastWriter, page: FeedPage) -> int:
    for ids in runs(page.records):
        fast.put({entity_id: page.records[entity_id] for entity_id in ids})
    return len(page.records)
