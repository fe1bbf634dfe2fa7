"""What is remembered of a subject, and who may look, as protocols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ebb.contract.model import Value
from ebb.ports.durable import Merged
from ebb.ports.records import FeatureRecord


@dataclass(frozen=True)
class HistoryRow:
    """One write as it came.

    Attributes:
        values: the raw values it brought.
        event_time: since when they were true, epoch seconds.
        ingested_at: when the durable tier took them, epoch seconds.
    """

    values: Mapping[str, Value]
    event_time: float
    ingested_at: float


class HistoryTier(Protocol):
    """The durable tier's memory."""

    def known_at(self, entity_id: str, event_time: float, ingested_at: float) -> FeatureRecord | None:
        """Return the values that were true at `event_time` as far as they were known at `ingested_at`.

        The version of the returned record is 0. None where nothing was known, or no history is kept that far back.

        Raises:
            Unavailable: the tier does not answer.
        """

    def history(self, entity_id: str, first: int = 0, most: int | None = None) -> list[HistoryRow]:
        """Return the writes that are kept of one entity, the newest event time first.

        Args:
            entity_id: whose.
            first: how many to leave out.
            most: how many at most; None for all.

        Raises:
            Unavailable: the tier does not answer.
        """


@dataclass(frozen=True)
class Access:
    """One look at, or erasure of, everything that is held of a subject.

    Attributes:
        at: epoch seconds.
        client: who asked.
        action: `export` or `erase`.
        correlation_id: names the call.
    """

    at: float
    client: str
    action: str
    correlation_id: str


class SubjectTier(HistoryTier, Protocol):
    """The durable tier as subject rights need it."""

    def read(self, entity_id: str) -> FeatureRecord | None:
        """See `DurableTier.read`."""

    def settle(self, repair: int) -> None:
        """See `DurableTier.settle`."""

    def accesses(self, entity_id: str) -> list[Access]:
        """Return the recorded accesses of one subject, the oldest first.

        Raises:
            Unavailable: the tier does not answer.
        """

    def record_access(self, entity_id: str, access: Access) -> None:
        """Keep one access for good.

        Raises:
            Unavailable: the tier does not answer; nothing was kept.
        """

    def erase(self, entity_id: str, access: Access) -> Merged:
        """Erase values, salt and history, leave a tombstone and record the access, all in one transaction.

        Raises:
            Unavailable: the tier does not answer; nothing was erased.
        """
