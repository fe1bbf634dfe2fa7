"""The shapes of the API, for OpenAPI; `Features` is made of the contract that is served."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

EntityId = Annotated[str, Field(min_length=1, max_length=256, description="Whom to score")]
Explain = Annotated[bool, Field(description="Whether reason codes are wanted; needs the scope `explain`")]


class Body(BaseModel):
    """What a caller sends: nothing else is known."""

    model_config = ConfigDict(extra="forbid")


class Features(RootModel[dict[str, Any]]):
    """Values by feature name; described by `features_schema`."""


Overrides = Annotated[Features, Field(description="Values that take the stored ones' place")]


class PredictionBody(Body):
    """Whom to score, and how."""

    entity_id: EntityId
    features: Overrides = Features({})
    explain: Explain = False


class BatchItem(Body):
    """One entity of a batch."""

    entity_id: EntityId
    features: Overrides = Features({})


class BatchBody(Body):
    """Whom to score, and how; at most 100 entities where reason codes are wanted."""

    entities: list[BatchItem] = Field(min_length=1, max_length=1_000)
    explain: Explain = False


class Provenance(BaseModel):
    """Features whose values came from one place, and are of one age."""

    tier: str = Field(description="`fast`, `durable`, `cache`, `request`, `default` or `missing`")
    age_seconds: float | None = Field(description="Seconds since the values were true; null where they were not stored")
    features: list[str] = Field(description="Their names")


class BatchFreshness(BaseModel):
    """Where the features of one entity of a batch came from."""

    tier: str = Field(description="Where stored values came from: `fast`, `durable`, `cache` or `none`")
    hedged: bool = Field(description="Whether the replica answered in the primary's place")
    oldest_seconds: float | None = Field(description="Age of the oldest stored value used")
    request: list[str] = Field(description="Features that the request brought")
    defaults: list[str] = Field(description="Features that the contract's default stood in for")
    stale: list[str] = Field(description="Features older than their `max_age`")
    unseen: list[str] = Field(description="Features whose category the contract does not list; scored all the same")


class Freshness(BatchFreshness):
    """Where the features came from."""

    provenance: list[Provenance] = Field(description="Tier and age of each feature")


class ReasonCode(BaseModel):
    """One feature's signed share of the difference to the reference score."""

    feature: str
    contribution: float = Field(description="In probability; positive raises the score")
    text: str = Field(description="What the feature says of the entity; holds no value")


class _Scored(BaseModel):
    prediction_id: str
    entity_id: str
    probability: float = Field(ge=0, le=1)
    decision: str = Field(description="`act` or `hold`")
    threshold: float = Field(description="Probability from which acting pays")
    expected_profit: float
    currency: str
    release: str | None = Field(description="The release that answered; null where the rules did")
    rules_version: str | None = Field(description="The rules that answered; null where a release did")
    variant: str = Field(description="In which role: `champion`, `challenger`, `cheap` or `rules`")
    degraded: bool = Field(description="Answered from the rules")
    degraded_because: list[str]
    reasons: list[ReasonCode] | None = Field(default=None, description="Where asked for, the largest first")


class PredictionAnswer(_Scored):
    """One scored entity."""

    features: Freshness


class BatchPrediction(_Scored):
    """One scored entity of a batch."""

    features: BatchFreshness


class Problem(BaseModel):
    """An RFC 9457 problem."""

    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[dict[str, str]] | None = Field(default=None, description="Each feature that is refused, and why")


class BatchFailure(BaseModel):
    """An entity of a batch that has no answer, and why; `entity_id` is null where none could be read."""

    entity_id: str | None
    error: Problem


class BatchAnswer(BaseModel):
    """The entities' answers, in their order."""

    predictions: list[BatchPrediction | BatchFailure]
    failed: int = Field(description="How many have no answer")


class Champion(BaseModel):
    """The release that answers whom no other does."""

    release: str
    sha256: str | None
    created: str | None
    features: list[str]


class Role(BaseModel):
    """A release beside the champion."""

    release: str
    weight: float | None = Field(default=None, description="Share of all entities")


class ReleasesAnswer(BaseModel):
    """What serves, and what lies in the store."""

    champion: Champion
    challengers: list[Role]
    cheap: Role | None
    shadow: Role | None
    previous: str | None = Field(description="The champion before; a rollback brings it back")
    routing: int = Field(description="Version of the routing table in force")
    missing: list[str] = Field(description="Releases of the table that this environment could not load")
    versions: list[str]


class HealthAnswer(BaseModel):
    """Whether the function runs."""

    status: str
    release: str | None


class GatewayRefusal(BaseModel):
    """What the gateway itself answers; its other refusals have the same body with other words."""

    message: str


class OpenApiDocument(BaseModel):
    """This document."""

    model_config = ConfigDict(extra="allow")
    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
