"""Predictions: limits, features, scores, shadow, event, counts."""

from collections.abc import Callable, Sequence

from ebb.errors import EbbError, UnknownEntity
from ebb.ports import EventRecorder, Signals
from ebb.reasons import Reason
from ebb.routing.table import RULES
from ebb.serving.serving import Serving
from ebb.store.reading import Reading
from ebb.store.store import FeatureStore
from lambdas.predict.cases import Case, scored
from lambdas.predict.measures import Clocks, Price
from lambdas.predict.prediction import Prediction, Told
from lambdas.predict.request import Asked, Item
from lambdas.predict.scoring import Scored
from lambdas.predict.shadow import Shadowing
from lambdas.predict.variant import Variant

_UNKNOWN = (
    "no features are held for this entity: write them with PUT /v1/features/{entity_id}, "
    "or send them as `features` with the request"
)


class Predictor:
    """Scores entities.

    Args:
        serving: the releases.
        store: the feature store.
        recorder: makes events durable.
        signals: takes counts and times.
        clocks: the wall clock and a timer.
        price: of a millisecond.
        new_id: a fresh prediction id.
    """

    def __init__(
        self,
        serving: Serving[Variant],
        store: FeatureStore,
        recorder: EventRecorder,
        *,
        signals: Signals,
        clocks: Clocks,
        price: Price,
        new_id: Callable[[], str],
    ) -> None:
        self._serving, self._store, self._recorder, self._signals = serving, store, recorder, signals
        self._clocks, self._price, self._new_id = clocks, price, new_id
        self._shadowing = Shadowing(signals, clocks.timer)

    def predict(self, asked: Asked, item: Item) -> Prediction:
        """Score one entity.

        Raises:
            NoRelease, ReleaseError: there is none yet, or it and its contract cannot be trusted.
            BadFeatures: the request brought a value that the contract refuses.
            RateLimited: the client asks too often.
            UnknownEntity: nothing is held for it, and the request brought no features.
            StaleFeatures: see `resolve`.
            Unavailable: the event could not be recorded.
        """
        began = self._clocks.timer()
        ttls = self._serving.now().ttls
        reading = self._store.read(item.entity_id, asked.client, ttls)
        self._admit(asked, reading)
        answer = self._answers(asked, [item], [reading], began)[0]
        if isinstance(answer, EbbError):
            raise answer
        return answer

    def predict_many(self, asked: Asked, items: Sequence[Item]) -> list[Prediction | EbbError]:
        """Score entities as `predict` would one by one, with one read and one run of each release's graph.

        Raises:
            NoRelease, ReleaseError, RateLimited, Unavailable: see `predict`; they concern all. The others stand
                where they belong.
        """
        began = self._clocks.timer()
        ttls = self._serving.now().ttls
        readings = self._store.read_many([item.entity_id for item in items], asked.client, ttls)
        self._admit(asked, readings[0])
        return self._answers(asked, items, readings, began)

    def admit(self, client: str, cost: int = 1) -> None:
        """Count so many requests that score nobody.

        Raises:
            RateLimited: the client asks too often.
        """
        allowance = self._store.admit(client, cost)
        if allowance.wait:
            raise self._store.refusal(client, allowance)

    def _admit(self, asked: Asked, reading: Reading) -> None:
        if reading.allowance.wait:
            raise self._store.refusal(asked.client, reading.allowance)

    def _answers(
        self, asked: Asked, items: Sequence[Item], readings: Sequence[Reading], began: float
    ) -> list[Prediction | EbbError]:
        routed = self._serving.now(max(reading.routing for reading in readings))
        now = self._clocks.wall()
        answers: list[Prediction | EbbError] = [UnknownEntity(_UNKNOWN)] * len(items)
        cases = []
        for position, (item, reading) in enumerate(zip(items, readings, strict=True)):
            if reading.record is not None or reading.trouble or item.overrides:
                cases.append(Case(position, item, reading, *routed.of(item.entity_id)))
        for case, outcome in scored(cases, routed, now, self._signals):
            if isinstance(outcome, EbbError):
                answers[case.position] = outcome
            else:
                case.scored = outcome
        answered = [case for case in cases if case.scored is not None]
        asked_for, found = [case.item for case in answered], [case.reading for case in answered]
        shadows = self._shadowing.score(routed, asked_for, found, now)
        predictions = [self._prediction(asked, case) for case in answered]
        milliseconds = (self._clocks.timer() - began) * 1000
        if predictions:
            cost = self._price.of(milliseconds) / len(predictions)
            told = Told(asked, now, routed.table.version, milliseconds / len(predictions), cost)
            # What could not be recorded was not answered.
            self._recorder.record([p.event(told, s) for p, s in zip(predictions, shadows, strict=True)])
            self._count(predictions, milliseconds, cost)
        for case, prediction in zip(answered, predictions, strict=True):
            answers[case.position] = prediction
        return answers

    def _prediction(self, asked: Asked, case: Case) -> Prediction:
        scored = case.scored
        assert scored is not None  # noqa: S101 - for the type checker: only answered cases come here
        degraded = scored.degraded
        return Prediction(
            id=self._new_id(),
            item=case.item,
            reading=case.reading,
            variant=case.variant,
            role=RULES if degraded else case.role,
            escalated=case.escalated,
            resolved=scored.resolved,
            probability=scored.probability,
            degraded=degraded,
            reasons=_reasons(case.variant, scored) if asked.explain else None,
        )

    def _count(self, predictions: Sequence[Prediction], milliseconds: float, cost: float) -> None:
        """Count what was answered: `cost` dollars each, all in `milliseconds`."""
        signals = self._signals
        signals.observe("latency_ms", milliseconds)
        signals.count("predictions", len(predictions))
        scores, roles, degraded, stale = 0.0, dict[str, int](), 0, 0
        for prediction in predictions:
            scores += prediction.probability
            roles[prediction.role] = roles.get(prediction.role, 0) + 1
            degraded += bool(prediction.degraded)
            stale += bool(prediction.resolved.stale)
        signals.count("score_sum", scores)
        for role, count in roles.items():
            signals.count(f"variant_{role}", count)
            signals.count(f"cost_usd_{role}", cost * count)
        if degraded:
            signals.count("degraded", degraded)
        if stale:
            signals.count("stale", stale)


def _reasons(variant: Variant, scored: Scored) -> Sequence[Reason]:
    if scored.degraded or variant.explainer is None:
        return ()
    return variant.explainer.explain(scored.resolved.accepted(variant.contract), variant.name)
