"""One answer, as callers get it and as it is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ebb.decision import ACT, HOLD, expected_profit
from ebb.events.event import PredictionEvent, ShadowScore
from ebb.reasons import Reason
from ebb.store.reading import Reading
from lambdas.predict.request import Asked, Item
from lambdas.predict.resolve import Resolved
from lambdas.predict.variant import Variant


@dataclass(slots=True)
class Prediction:
    """The answer for one entity.

    Attributes:
        id: of the prediction.
        item: whom, and what the request brought.
        reading: what the store said.
        variant: what answered.
        role: in which role; `rules` where the contract's rules did.
        escalated: whether another release left the case to the champion.
        resolved: which values were used, and how old they were.
        probability: of the positive class.
        degraded: why the rules answered; empty where the model did.
        reasons: contributions, the largest first; None where not asked for.
    """

    id: str
    item: Item
    reading: Reading
    variant: Variant
    role: str
    escalated: bool
    resolved: Resolved
    probability: float
    degraded: Sequence[str]
    reasons: Sequence[Reason] | None

    @property
    def decision(self) -> str:
        """`act` where acting pays at least what it costs, else `hold`."""
        return ACT if self.probability >= self.variant.threshold else HOLD

    def document(self, *, provenance: bool = True) -> dict[str, Any]:
        """Return the answer as the API promises it.

        Args:
            provenance: whether each feature's tier and age are told; 20 of them would make a batch four times as large.
        """
        variant, resolved, degraded = self.variant, self.resolved, self.degraded
        decision = variant.contract.decision
        features: dict[str, Any] = {
            "tier": resolved.tier,
            "hedged": self.reading.hedged,
            "oldest_seconds": resolved.oldest,
            "request": resolved.request,
            "defaults": resolved.defaults,
            "stale": resolved.stale,
            "unseen": resolved.unseen,
        }
        if provenance:
            features["provenance"] = resolved.provenance()
        document: dict[str, Any] = {
            "prediction_id": self.id,
            "entity_id": self.item.entity_id,
            "probability": self.probability,
            "decision": self.decision,
            "threshold": variant.threshold,
            "expected_profit": expected_profit(decision, self.probability),
            "currency": decision.currency,
            "release": None if degraded else variant.name,
            "rules_version": variant.rules_version if degraded else None,
            "variant": self.role,
            "features": features,
            "degraded": bool(degraded),
            "degraded_because": degraded,
        }
        if self.reasons is not None:
            document["reasons"] = [_told(reason) for reason in self.reasons]
        return document

    def event(self, told: "Told", shadow: ShadowScore | None) -> PredictionEvent:
        """Return what is recorded of the answer.

        Args:
            told: what all answers of the call have in common.
            shadow: what the shadow said; None where there is none.
        """
        reading, variant, resolved, degraded = self.reading, self.variant, self.resolved, self.degraded
        record, asked = reading.record, told.asked
        return PredictionEvent(
            id=self.id,
            request=asked.request,
            time=told.time,
            client=asked.client,
            purpose=asked.purpose,
            entity_id=self.item.entity_id,
            salt=record.salt if record is not None else "",
            release=None if degraded else variant.sha256,
            rules=variant.rules_version if degraded else None,
            variant=self.role,
            routing=told.routing,
            escalated=self.escalated,
            tier=resolved.tier,
            hedged=reading.hedged,
            degraded=degraded,
            milliseconds=told.milliseconds,
            cost=told.cost,
            inputs=resolved.row,
            ages=resolved.ages,
            requested=resolved.request,
            defaults=resolved.defaults,
            stale=resolved.stale,
            probability=self.probability,
            decision=self.decision,
            reasons=None if self.reasons is None else [(r.feature, r.contribution) for r in self.reasons],
            shadow=shadow,
            layout=None if degraded else variant.layout,
        )


@dataclass(slots=True)
class Told:
    """What the recorded answers of one call have in common.

    Attributes:
        asked: the call.
        time: epoch seconds.
        routing: version of the routing table in force.
        milliseconds, cost: that each answer took, and what it cost in dollars.
    """

    asked: Asked
    time: float
    routing: int
    milliseconds: float
    cost: float


def _told(reason: Reason) -> dict[str, Any]:
    return {"feature": reason.feature, "contribution": reason.contribution, "text": reason.text}
