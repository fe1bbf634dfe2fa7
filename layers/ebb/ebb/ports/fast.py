"""The tier in front, as protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ebb.plans import Allowance
from ebb.ports.records import FeatureRecord


# Not frozen, as a record: one is made for each prediction, and nobody changes it.
@dataclass(slots=True)
class FastAnswer:
    """What one round trip to the fast tier brought.

    Attributes:
        record: what is held; None where nothing is.
        since_put: seconds since the tier was given the record, or last extended its life.
        allowance: what this client may still ask; None where this was not decided there.
        routing: version of the routing table; 0 where there is none.
        hedged: whether the replica answered in the primary's place.
    """

    record: FeatureRecord | None
    since_put: float
    allowance: Allowance | None
    routing: int
    hedged: bool = False


@dataclass(slots=True)
class FastAnswers:
    """What one round trip for many entities brought.

    Attributes:
        records: what is held of each, in the order that was asked; None where nothing is.
        since_put: as in `FastAnswer`, for each.
        allowance, routing, hedged: as in `FastAnswer`, for all of them at once.
    """

    records: Sequence[FeatureRecord | None]
    since_put: Sequence[float]
    allowance: Allowance | None
    routing: int
    hedged: bool = False


class FastWriter(Protocol):
    """The tier in front, for whoever tells it."""

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """Hold these records, unless a higher version is already held; an equal one only lives longer.

        Raises:
            Unavailable: the tier does not answer; some of the records may be held.
        """


class FastReader(Protocol):
    """The tier in front, for whoever compares it."""

    def held(self, entity_ids: Sequence[str]) -> Mapping[str, FeatureRecord]:
        """Return the records that are held of these entities, tombstones too.

        Raises:
            Unavailable: the tier does not answer.
        """


class FastTier(FastWriter, Protocol):
    """The tier in front: answers in well under a millisecond, may forget, never goes back to an older version."""

    def ask(self, entity_id: str, client: str) -> FastAnswer:
        """Read one entity and count one request of the client, in one round trip.

        Raises:
            Unavailable: the tier does not answer, or is not asked because it has not answered lately.
        """

    def ask_many(self, entity_ids: Sequence[str], client: str) -> FastAnswers:
        """Read many entities and count as many requests of the client, in one round trip.

        All are admitted, or none. A client that owes no more than its burst is admitted, and pays for all of them;
        so a batch may be larger than the burst. What a batch reads is not counted as asked for often.

        Raises:
            Unavailable: see `ask`.
        """

    def admit(self, client: str, cost: int) -> Allowance:
        """Count so many requests of the client that read nobody.

        Raises:
            Unavailable: see `ask`.
        """
