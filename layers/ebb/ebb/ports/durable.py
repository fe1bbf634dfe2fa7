"""The tier that decides, as protocols."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ebb.ports.records import FeatureRecord, FeatureUpdate


@dataclass(frozen=True)
class Merged:
    """What a merge left.

    Attributes:
        records: the whole records as they now stand, by entity; tombstones stay tombstones.
        repair: names the note that the fast tier must still be told; see `DurableTier.settle`.
    """

    records: Mapping[str, FeatureRecord]
    repair: int


class DurableReader(Protocol):
    """The durable tier, for whoever looks at many entities."""

    def read_many(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        """Return the records of those that are held, tombstones too.

        Raises:
            Unavailable: the tier does not answer.
        """


class DurableTier(DurableReader, Protocol):
    """The tier that decides which values are the newest, numbers the versions and keeps the history."""

    def read(self, entity_id: str) -> FeatureRecord | None:
        """Return what is held, a tombstone too, or None.

        Raises:
            Unavailable: the tier does not answer.
        """

    def merge(self, updates: Sequence[FeatureUpdate]) -> Merged:
        """Merge updates, value by value the newer event time winning, in one transaction.

        Later updates of one call come after earlier ones. What is older than an erasure changes nothing.

        Raises:
            Unavailable: the tier does not answer; nothing was written.
        """

    def settle(self, repair: int) -> None:
        """Forget the note of a merge, since the fast tier holds its records.

        Raises:
            Unavailable: the tier does not answer; the note stays, and will be worked off once more.
        """


@dataclass(frozen=True)
class Repair:
    """A note that the fast tier may hold an older record of these entities, or none."""

    id: int
    entity_ids: Sequence[str]


class DurablePages(Protocol):
    """The durable tier, page by page."""

    def page(self, after: str, limit: int) -> dict[str, FeatureRecord]:
        """Return the records of the next entities after one, in the tier's own order; tombstones too.

        Args:
            after: the entity to go on after; empty for the first page.
            limit: entities at most.

        Raises:
            Unavailable: the tier does not answer.
        """


class RepairTier(DurableReader, Protocol):
    """The durable tier as repairs need it."""

    def unsettled(self, older_than: float, limit: int) -> list[Repair]:
        """Return the oldest notes that have stood for more than `older_than` seconds.

        Raises:
            Unavailable: the tier does not answer.
        """

    def settle(self, repair: int) -> None:
        """See `DurableTier.settle`."""
