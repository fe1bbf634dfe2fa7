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
    """

    values: Mapping[str, Value]
    event_times: Mapping[str, float]
    version: int


class FeatureTier(Protocol):
    """One tier of the feature store."""

    def read(self, entity_id: str) -> FeatureRecord | None:
        """Return what is held, or None.

        Raises:
            Unavailable: the tier does not answer.
        """

    def put(self, records: Mapping[str, FeatureRecord]) -> None:
        """Hold these records, unless a higher version is already held.

        Raises:
            Unavailable: the tier does not answer.
        """


class DurableTier(FeatureTier, Protocol):
    """The tier that decides which values are the newest, and numbers the versions."""

    def merge(self, updates: Sequence["FeatureUpdate"]) -> dict[str, FeatureRecord]:
        """Merge updates, value by value the newer event time winning, in one transaction.

        Returns:
            The whole records as they now stand, by entity.

        Raises:
            Unavailable: the tier does not answer; nothing was written.
        """


@dataclass(frozen=True)
class FeatureUpdate:
    """New values of one entity, all true since `event_time` (epoch seconds)."""

    entity_id: str
    values: Mapping[str, Value]
    event_time: float


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
