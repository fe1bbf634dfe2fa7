"""One prediction: features, score, decision, reasons; or the rules where features cannot be had."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ebb.contract.model import Contract, Value
from ebb.decision import decide, expected_profit, threshold
from ebb.errors import RateLimited, UnknownEntity
from ebb.features.inputs import accept_row, accept_some, encode
from ebb.reasons import Reason, reason_codes
from ebb.release.load import LoadedRelease
from ebb.rules import rules_score, rules_version
from ebb.store.reading import Reading
from ebb.store.store import FeatureStore
from lambdas.predict.resolve import Resolved, resolve


@dataclass(frozen=True)
class PredictionRequest:
    """What the caller asks.

    Attributes:
        client: who asks.
        entity_id: whom to score.
        overrides: raw values that take the stored ones' place.
        explain: whether reason codes are wanted.
    """

    client: str
    entity_id: str
    overrides: Mapping[str, Value]
    explain: bool


@dataclass(frozen=True)
class Prediction:
    """The answer.

    Attributes:
        probability: of the positive class.
        hedged: whether the replica of the fast tier answered in the primary's place.
        resolved: which values were used, and how old they were.
        degraded: why the rules answered; empty where the model did.
        reasons: contributions, the largest first; None where not asked for.
    """

    prediction_id: str
    request: PredictionRequest
    release: LoadedRelease
    probability: float
    hedged: bool
    resolved: Resolved
    degraded: tuple[str, ...]
    reasons: tuple[Reason, ...] | None

    def document(self) -> dict[str, Any]:
        """Return the answer as the API promises it."""
        contract = self.release.contract
        document: dict[str, Any] = {
            "prediction_id": self.prediction_id,
            "entity_id": self.request.entity_id,
            "probability": self.probability,
            "decision": decide(contract.decision, self.probability),
            "threshold": threshold(contract.decision),
            "expected_profit": expected_profit(contract.decision, self.probability),
            "currency": contract.decision.currency,
            "release": None if self.degraded else self.release.name,
            "rules_version": rules_version(contract.rules) if self.degraded else None,
            "variant": "rules" if self.degraded else "champion",
            "features": {
                "tier": self.resolved.tier,
                "hedged": self.hedged,
                "oldest_seconds": max(self.resolved.ages.values(), default=None),
                "request": self.resolved.request,
                "defaults": self.resolved.defaults,
                "stale": self.resolved.stale,
                "unseen": self.resolved.unseen(contract),
                "provenance": self.resolved.provenance(),
            },
            "degraded": bool(self.degraded),
            "degraded_because": list(self.degraded),
        }
        if self.reasons is not None:
            document["reasons"] = [{"feature": r.feature, "contribution": r.contribution} for r in self.reasons]
        return document


class Predictor:
    """Scores entities.

    Args:
        store: the feature store.
        clock: epoch seconds.
        new_id: a fresh prediction id.
    """

    def __init__(self, store: FeatureStore, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._store, self._clock, self._new_id = store, clock, new_id

    def predict(self, release: LoadedRelease, request: PredictionRequest) -> Prediction:
        """Score one entity with one release.

        Raises:
            BadFeatures: the request brought a value that the contract refuses.
            RateLimited: the client asks too often.
            UnknownEntity: nothing is held for it, and the request brought no features.
            StaleFeatures: see `resolve`.
        """
        contract = release.contract
        overrides = accept_some(contract, request.overrides)
        reading = self._read(contract, request)
        resolved = resolve(contract, overrides, reading, self._clock())
        problems = self._problems(reading, resolved)
        reasons: tuple[Reason, ...] | None = None
        if problems:
            probability = rules_score(contract.rules, resolved.known())
            reasons = () if request.explain else None
        else:
            probability = float(release.scorer.score(encode(contract, [resolved.row]))[0])
            if request.explain:
                reasons = _explain(release, resolved.row)
        degraded = tuple(problems)
        return Prediction(self._new_id(), request, release, probability, reading.hedged, resolved, degraded, reasons)

    def _read(self, contract: Contract, request: PredictionRequest) -> Reading:
        reading = self._store.read(request.entity_id, request.client, contract.ttls)
        if reading.wait:
            raise RateLimited(reading.wait)
        if reading.record is None and not reading.trouble and not request.overrides:
            raise UnknownEntity(
                "no features are held for this entity: write them with PUT /v1/features/{entity_id}, "
                "or send them as `features` with the request"
            )
        return reading

    @staticmethod
    def _problems(reading: Reading, resolved: Resolved) -> list[str]:
        """Say why the model cannot be used; a store that is away matters only to who needs it."""
        if reading.trouble and not resolved.complete:
            return [reading.trouble]
        return resolved.problems


def _explain(release: LoadedRelease, row: Mapping[str, float | str]) -> tuple[Reason, ...]:
    reference = accept_row(release.contract, release.reference.typical(release.contract))
    return reason_codes(release.contract, release.scorer, row, reference, release.name)
