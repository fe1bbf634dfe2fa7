"""What the domain needs from outside, as protocols; adapters and hand-written fakes implement them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Value
from ebb.features.inputs import Inputs


@dataclass(frozen=True)
class FeatureRecord:
    """What a tier holds for one entity.

    Attributes:
        values: raw values by feature name.
        event_times: when each value was true, epoch seconds.
        version: counts the writes of this entity; the higher one is the newer.
        salt: the subject's own, 32 hex digits, made with its first features; empty in a tombstone.
        erased_at: when the subject was last erased, epoch seconds; no value from before is ever held again.
    """

    values: Mapping[str, Value]
    event_times: Mapping[str, float]
    version: int
    salt: str = ""
    erased_at: float | None = None

    @property
    def is_tombstone(self) -> bool:
        """Whether the subject was erased and has sent nothing since."""
        return self.erased_at is not None and not self.values


@dataclass(frozen=True)
class FastAnswer:
    """What one round trip to the fast tier brought.

    Attributes:
        record: what is held; None where nothing is.
        since_put: seconds since the tier was given the record, or last extended its life.
        wait: seconds until this client may ask again, 0 where it may now; None where this was not decided there.
        routing: version of the routing table; 0 where there is none.
        hedged: whether the replica answered in the primary's place.
    """

    record: FeatureRecord | None
    since_put: float
    wait: float | None
    routing: int
    hedged: bool = False


class FastTier(Protocol):
    """The tier in front: answers in well under a millisecond, may forget, never goes back to an older version."""

    def ask(self, entity_id: str, client: str) -> FastAnswer:
        """Read one entity and count one request of the client, in one round trip.

        Raises:
            Unavailable: the tier does not answer, or is not asked because it has not answered lately.
        """

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """Hold these records, unless a higher version is already held; an equal one only lives longer.

        Raises:
            Unavailable: the tier does not answer; some of the records may be held.
        """


@dataclass(frozen=True)
class FeatureUpdate:
    """New values of one entity, all true since `event_time` (epoch seconds)."""

    entity_id: str
    values: Mapping[str, Value]
    event_time: float


@dataclass(frozen=True)
class Merged:
    """What a merge left.

    Attributes:
        records: the whole records as they now stand, by entity; tombstones stay tombstones.
        repair: names the note that the fast tier must still be told; see `DurableTier.settle`.
    """

    records: Mapping[str, FeatureRecord]
    repair: int


class DurableTier(Protocol):
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


class RepairTier(Protocol):
    """The durable tier as repairs need it."""

    def unsettled(self, older_than: float, limit: int) -> list[Repair]:
        """Return the oldest notes that have stood for more than `older_than` seconds.

        Raises:
            Unavailable: the tier does not answer.
        """

    def read_many(self, entity_ids: Sequence[str]) -> dict[str, FeatureRecord]:
        """Return the records of those that are held, tombstones too.

        Raises:
            Unavailable: the tier does not answer.
        """

    def settle(self, repair: int) -> None:
        """See `DurableTier.settle`."""


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

    def history(self, entity_id: str) -> list[HistoryRow]:
        """Return every write that is kept of one entity, the newest event time first.

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


class Signals(Protocol):
    """Counts and states for whoever watches; never a personal value, never an entity."""

    def count(self, name: str, by: float = 1) -> None:
        """Add to a count."""

    def gauge(self, name: str, value: float) -> None:
        """State the present value."""


class Scorer(Protocol):
    """A graph that is ready to score."""

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the probability of the positive class, float32 [N]."""


class ReleaseStore(Protocol):
    """Where releases lie: a folder here, a bucket in the cloud."""

    def contracts(self) -> list[str]:
        """Return the contracts that have releases, sorted."""

    def champion(self, contract: str) -> str | None:
        """Return the version that serves, or None where there is none yet."""

    def versions(self, contract: str) -> list[str]:
        """Return all complete versions, sorted."""

    def read(self, contract: str, version: str) -> dict[str, bytes]:
        """Return the release's files by name, not yet verified.

        Raises:
            NoRelease: there is no such release.
        """

    def write(self, contract: str, version: str, files: Mapping[str, bytes]) -> None:
        """Store a release at once: readers see all of it or nothing. The same version again is a no-op.

        Raises:
            ReleaseError: it cannot be written; nothing of it is seen.
        """

    def set_champion(self, contract: str, version: str) -> None:
        """Name the version that serves from now on, atomically."""
