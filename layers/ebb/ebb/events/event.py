"""What is recorded of one answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ebb.contract.model import Value
from ebb.events.layout import Layout

SCHEMA = 2
"""Version of the event's shape."""


@dataclass(slots=True)
class ShadowScore:
    """What the shadow said of the same inputs.

    Attributes:
        release: sha256 of the shadow.
        probability: None where it was skipped or failed.
        milliseconds: that it took.
    """

    release: str
    probability: float | None
    milliseconds: float


@dataclass(slots=True)
class PredictionEvent:
    """One answer. What may name or describe a person is marked *sealed*, and never stands in a log unsealed.

    Attributes:
        id: of the prediction.
        request: correlation id of the call; both calls of a hedging client carry the same `ebb-request-id`.
        time: epoch seconds.
        client: who asked.
        purpose: what for.
        entity_id: whom; the event holds a pseudonym in its place.
        salt: the subject's own, 32 hex digits; empty where no tier could tell one. Used to seal, and recorded nowhere.
        release: sha256 of the release that answered; None where the rules did.
        rules: version of the rules that answered; None where a release did.
        variant: `champion`, `challenger`, `cheap` or `rules`.
        routing: version of the routing table; 0 where there is none.
        escalated: whether the cheap release left the case to the champion.
        tier: where stored values came from.
        hedged: whether the replica answered in the primary's place.
        degraded: *sealed*; why the rules answered. That they did, and for how many reasons, stays open.
        milliseconds: that the answer took, up to its recording.
        cost: of those, in dollars.
        inputs: *sealed*; accepted values by feature, None, NaN or "" where missing.
        ages: *sealed*; seconds since each stored value was true; one number where every input is stored and as old
            as the others.
        requested, defaults, stale: *sealed*; features taken from the request, from defaults, used though stale.
        probability, decision: *sealed*.
        reasons: *sealed*; contributions by feature; None where not asked for.
        shadow: *sealed*; None where there is no shadow.
        layout: the places of the release's features; None where only names can tell them. Recorded nowhere.
    """

    id: str
    request: str
    time: float
    client: str
    purpose: str
    entity_id: str
    salt: str
    release: str | None
    rules: str | None
    variant: str
    routing: int
    escalated: bool
    tier: str
    hedged: bool
    degraded: Sequence[str]
    milliseconds: float
    cost: float
    inputs: Mapping[str, Value]
    ages: Mapping[str, float] | float
    requested: Sequence[str]
    defaults: Sequence[str]
    stale: Sequence[str]
    probability: float
    decision: str
    reasons: Sequence[tuple[str, float]] | None
    shadow: ShadowScore | None
    layout: Layout | None = None
