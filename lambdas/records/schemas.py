"""The shapes of the calls about features and subjects; imported only where they are described."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

Value = float | int | bool | str | None
EpochSeconds = Annotated[float, Field(description="Epoch seconds")]
Since = Annotated[float | None, Field(description="Since when the values are true, epoch seconds; null is now")]
Note = Annotated[str | None, Field(description="What else there is to say")]


class Body(BaseModel):
    """What a caller sends: nothing else is known."""

    model_config = ConfigDict(extra="forbid")


class Features(RootModel[dict[str, Value]]):
    """Values by feature name; the prediction function describes those of the served contract."""


Some = Annotated[
    Features, Field(description="Some or all features; the others stay", json_schema_extra={"minProperties": 1})
]


class FeaturesBody(Body):
    """New values of one entity."""

    features: Some
    event_time: Since = None


class FeaturesItem(FeaturesBody):
    """New values of one entity of a batch."""

    entity_id: str = Field(min_length=1, max_length=256)


class FeaturesBatchBody(Body):
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
