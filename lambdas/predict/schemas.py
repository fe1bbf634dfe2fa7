"""The shapes of the API, for OpenAPI; the contract's features are described by the release, not here."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class PredictionBody(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"entity_id": "c-000123", "explain": True}]}
    )
    entity_id: str = Field(min_length=1, max_length=256, description="Whom to score")
    features: dict[str, float | int | bool | str | None] = Field(
        default_factory=dict, description="Values that take the stored ones' place"
    )
    explain: bool = Field(default=False, description="Whether reason codes are wanted; needs the scope `explain`")


class Provenance(BaseModel):
    """Where the value of one feature came from."""

    tier: str = Field(description="`fast`, `durable`, `cache`, `request`, `default` or `missing`")
    age_seconds: float | None = Field(description="Seconds since the value was true; null where it was not stored")


class Freshness(BaseModel):
    """Where the features came from."""

    tier: str = Field(description="Where stored values came from: `fast`, `durable`, `cache` or `none`")
    hedged: bool = Field(description="Whether the replica answered in the primary's place")
    oldest_seconds: float | None = Field(description="Age of the oldest stored value used")
    request: list[str] = Field(description="Features that the request brought")
    defaults: list[str] = Field(description="Features that the contract's default stood in for")
    stale: list[str] = Field(description="Features older than their `max_age`")
    unseen: list[str] = Field(description="Features whose category the contract does not list; scored all the same")
    provenance: dict[str, Provenance] = Field(description="Tier and age of each feature")


class ReasonCode(BaseModel):
    """One feature's signed share of the difference to the reference score."""

    feature: str
    contribution: float


class PredictionAnswer(BaseModel):
    """One scored entity."""

    prediction_id: str
    entity_id: str
    probability: float = Field(ge=0, le=1)
    decision: str = Field(description="`act` or `hold`")
    threshold: float
    expected_profit: float
    currency: str
    release: str | None = Field(description="The release that answered; null where the rules did")
    rules_version: str | None = Field(description="The rules that answered; null where a release did")
    variant: str
    features: Freshness
    degraded: bool = Field(description="Answered from the rules")
    degraded_because: list[str]
    reasons: list[ReasonCode] | None = None


class ReleasesAnswer(BaseModel):
    """What serves, and what lies in the store."""

    champion: dict[str, Any]
    versions: list[str]


class HealthAnswer(BaseModel):
    """Whether the function runs."""

    status: str
    release: str | None


class Problem(BaseModel):
    """An RFC 9457 problem."""

    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[dict[str, str]] | None = None
