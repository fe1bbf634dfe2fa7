"""The shapes of the calls about the routing table; imported only where they are described."""

from typing import Annotated

from pydantic import BaseModel, Field

from lambdas.records.schemas import Body, EpochSeconds

BasedOn = Annotated[int | None, Field(description="The version that was looked at; another one is a conflict")]
Version = Annotated[str, Field(pattern="^[0-9a-f]{12}$", description="Version of a release")]
Weight = Annotated[float, Field(ge=0, le=1, description="Share of all entities")]


class ChallengerRole(Body):
    """A release that is tried on some entities."""

    release: Version
    weight: Weight


class CheapRole(Body):
    """A release that costs less and answers some entities."""

    release: Version
    weight: Weight = 0.1
    margin: float = Field(default=0.0, description="How far from the decision threshold its answer stands")


class ShadowRole(Body):
    """A release that scores along and never answers."""

    release: Version
    budget_ms: float = Field(default=5.0, description="Milliseconds that its score may take")


class RolesBody(Body):
    """Who stands beside the champion; what is left out is taken away."""

    challengers: list[ChallengerRole] | None = None
    cheap: CheapRole | None = None
    shadow: ShadowRole | None = None
    based_on: BasedOn = None


class PromoteBody(Body):
    """Which release becomes the champion."""

    release: Version
    based_on: BasedOn = None


class RollbackBody(Body):
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
