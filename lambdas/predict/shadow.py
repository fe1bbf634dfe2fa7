"""The shadow: scores the same entities within a budget, is recorded, and never changes an answer."""

import time
from collections.abc import Callable, Sequence

from ebb.errors import EbbError
from ebb.events.event import ShadowScore
from ebb.ports import Signals
from ebb.serving.routed import Routed
from ebb.store.reading import Reading
from lambdas.predict.request import Item
from lambdas.predict.scoring import Scored, score
from lambdas.predict.variant import Variant

_WEIGHT = 0.2
"""Of the newest measurement in the running mean."""
_PROBE_EVERY = 64
"""Above its budget a shadow is skipped; so often it is tried all the same, to learn whether it has become quicker."""


class Shadowing:
    """Knows how long shadows take.

    Args:
        signals: takes `shadow_scored`, `shadow_skipped` and `shadow_failed`, one for each entity.
        clock: seconds.
    """

    def __init__(self, signals: Signals, clock: Callable[[], float] = time.perf_counter) -> None:
        self._signals, self._clock = signals, clock
        self._milliseconds: dict[str, float] = {}
        self._skipped = 0

    def score(
        self, routed: Routed[Variant], items: Sequence[Item], readings: Sequence[Reading], now: float
    ) -> Sequence[ShadowScore | None]:
        """Score entities with the table's shadow, if that is expected to take no longer than its budget for each.

        Never raises: what goes wrong here is nobody's problem but the shadow's.

        Returns:
            What it said of each; None where there is no shadow.
        """
        role, variant = routed.table.shadow, routed.shadow
        if role is None or variant is None or not items:
            return [None] * len(items)
        name = variant.sha256 or ""
        expected = self._milliseconds.get(name, 0.0)
        if expected > role.budget_ms:
            self._skipped += 1
            if self._skipped % _PROBE_EVERY:
                self._signals.count("shadow_skipped", len(items))
                return [ShadowScore(name, None, 0.0) for _ in items]
        began = self._clock()
        try:
            scored = score(variant, items, readings, now, routed.features)
        except Exception:  # noqa: BLE001 - see above
            scored = []
        took = (self._clock() - began) * 1000 / len(items)
        self._milliseconds[name] = took if name not in self._milliseconds else expected + _WEIGHT * (took - expected)
        told = [_probability(one) for one in scored] or [None] * len(items)
        failed = told.count(None)
        for signal, count in (("shadow_failed", failed), ("shadow_scored", len(items) - failed)):
            if count:
                self._signals.count(signal, count)
        return [ShadowScore(name, probability, took) for probability in told]


def _probability(scored: Scored | EbbError) -> float | None:
    return None if isinstance(scored, EbbError) or scored.degraded else scored.probability
