"""The shapes of the records function's calls; imported only where they are described."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Value = float | int | bool | str | None
EpochSeconds = Annotated[float, Field(description="Epoch seconds")]
Features = Annotated[dict[str, Value], Field(min_length=1, description="Some or all features; the others stay")]
Since = Annotated[float | None, Field(description="Since when the values are true, epoch seconds; null is now")]
Note = Annotated[str | None, Field(description="What else there is to say")]
BasedOn = Annotated[int | None, Field(description="The version that was looked at; another one is a conflict")]
Version = Annotated[str, Field(pattern="^[0-9a-f]{12}$", description="Version of a release")]
Weight = Annotated[float, Field(ge=0, le=1, description="Share of all entities")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FeaturesBody(_Body):
    """New values of one entity."""

    features: Features
    event_time: Since = None


class FeaturesItem(FeaturesBody):
    """New values of one entity of a batch."""

    entity_id: str = Field(min_length=1, max_length=256)


class FeaturesBatchBody(_Body):
    """New values of many entities: all are written, or none."""

    entities: list[FeaturesItem] = Field(min_length=1, max_length=1_000)


class WrittenAnswer(BaseModel):
    """What became of a write."""

    entity_id: str
    written: int = Field(description="Values that are now the newest")
    note: Note = None


class BatchWrittenAnswer(BaseModel):
    """What became of a batch."""

    written: int = Field(description="Entities")
    not_written: int | None = Field(default=None, description="Entities whose values are older than their erasure")
    note: Note = None


class HeldValue(BaseModel):
    """One value, and since when it is true."""

    value: Value
    event_time: float | None


class HeldRecord(BaseModel):
    """What one tier holds of a subject; its salt is said to be there, but not told."""

    version: int
    erased_at: float | None
    salt: str
    features: dict[str, HeldValue]


class FastTier(BaseModel):
    """What the fast tier holds, and how it compares with the durable one."""

    state: str
    record: HeldRecord | None


class HistoryItem(BaseModel):
    """One write as it came."""

    values: dict[str, Value]
    event_time: EpochSeconds
    ingested_at: EpochSeconds


class AccessItem(BaseModel):
    """One look at, or erasure of, everything that is held of the subject."""

    at: EpochSeconds
    client: str
    action: str
    correlation_id: str


class KnownAt(BaseModel):
    """What was true at one moment, as far as it was known at another."""

    event_time: EpochSeconds
    ingested_at: EpochSeconds
    features: dict[str, HeldValue]


class SubjectAnswer(BaseModel):
    """Everything that is held of one entity."""

    entity_id: str
    exported_at: EpochSeconds
    current: HeldRecord | None
    fast_tier: FastTier
    history: list[HistoryItem]
    history_next: int | None = Field(description="`history_from` of the next part; null where this is the last")
    accesses: list[AccessItem]
    known_at: KnownAt | None = None


class ErasedAnswer(BaseModel):
    """What became of an erasure."""

    entity_id: str
    erased_at: EpochSeconds
    durable_tier: str
    fast_tier: str = Field(description="`erased`, or `pending` where it did not answer and is told later")
    caches_clear_at: float | None = Field(description="When no environment remembers anything any more, epoch seconds")


class ChallengerRole(_Body):
    """A release that is tried on some entities."""

    release: Version
    weight: Weight


class CheapRole(_Body):
    """A release that costs less and answers some entities."""

    release: Version
    weight: Weight = 0.1
    margin: float = Field(default=0.0, description="How far from the decision threshold its answer stands")


class ShadowRole(_Body):
    """A release that scores along and never answers."""

    release: Version
    budget_ms: float = Field(default=5.0, description="Milliseconds that its score may take")


class RolesBody(_Body):
    """Who stands beside the champion; what is left out is taken away."""

    challengers: list[ChallengerRole] | None = None
    cheap: CheapRole | None = None
    shadow: ShadowRole | None = None
    based_on: BasedOn = None


class PromoteBody(_Body):
    """Which release becomes the champion."""

    release: Version
    based_on: BasedOn = None


class RollbackBody(_Body):
    """Nothing, or what the caller looked at."""

    based_on: BasedOn = None


class RoleItem(BaseModel):
    """A release in its role."""

    role: str = Field(description="`champion`, `challenger`, `cheap`, `shadow` or `previous`")
    release: str
    since: EpochSeconds
    weight: float | None = None
    slots: int | None = Field(default=None, description="Of 10,000")
    margin: float | None = None
    budget_ms: float | None = None


class ChangeItem(BaseModel):
    """Who made a version what it is."""

    version: int
    at: EpochSeconds
    client: str
    action: str


class RoutingAnswer(BaseModel):
    """The routing table, and what changed lately."""

    contract: str
    version: int
    salt: str
    roles: list[RoleItem]
    changes: list[ChangeItem]


class RoutingChangedAnswer(RoutingAnswer):
    """The routing table after a change."""

    written: int = Field(description="The version that this call wrote")
    notes: list[str] = Field(description="What could not be done yet")
