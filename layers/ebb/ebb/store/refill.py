"""Telling a fast tier that came back empty, or with older records, all that the durable one holds."""

from collections.abc import Callable
from dataclasses import dataclass

from ebb.errors import Unavailable
from ebb.ports import DurablePages, FastWriter
from ebb.store.runs import RUN


@dataclass(frozen=True)
class Refilled:
    """How far a refill came.

    Attributes:
        records: told to the fast tier.
        after: the entity to go on after; empty where all are told.
        stopped: why the fast tier took no more, as when it is full; empty where it did.
    """

    records: int
    after: str
    stopped: str = ""


def refill(
    durable: DurablePages, fast: FastWriter, after: str, may_go_on: Callable[[], bool], *, tombstones: bool = False
) -> Refilled:
    """Tell the fast tier every current record, page by page; at least one page a call.

    Args:
        durable: what holds everything.
        fast: what came back empty, or with older records.
        after: where an earlier call stopped; empty to begin.
        may_go_on: asked before each further page.
        tombstones: whether they are told too; an empty tier holds nothing that one would have to undo.

    Raises:
        Unavailable: the durable tier does not answer.
    """
    told = 0
    while page := durable.page(after, RUN):
        records = {entity_id: record for entity_id, record in page.items() if tombstones or not record.is_tombstone}
        try:
            fast.put(records)
        except Unavailable as error:
            return Refilled(told, after, str(error))
        told += len(records)
        after = next(reversed(page))
        if len(page) == RUN and not may_go_on():
            return Refilled(told, after)
    return Refilled(told, "")
