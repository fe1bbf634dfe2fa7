"""What is held of one entity, and what changes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ebb.contract.model import Value


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
class FeatureUpdate:
    """New values of one entity, all true since `event_time` (epoch seconds)."""

    entity_id: str
    values: Mapping[str, Value]
    event_time: float
