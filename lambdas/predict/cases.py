"""Which release scores whom: each its own entities, the champion what another leaves to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ebb.errors import EbbError
from ebb.ports import Signals
from ebb.routing.table import CHAMPION, CHEAP
from ebb.serving.routed import Routed
from ebb.store.reading import Reading
from lambdas.predict.request import Item
from lambdas.predict.scoring import Scored, score
from lambdas.predict.variant import Variant


@dataclass(slots=True)
class Case:
    """One entity on its way to an answer.

    Attributes:
        position: of its answer.
        item: whom, and what the request brought.
        reading: what the store said.
        role: of the release that scores it.
        variant: that release.
        escalated: whether another release left it to the champion.
        scored: its score; None until there is one.
    """

    position: int
    item: Item
    reading: Reading
    role: str
    variant: Variant
    escalated: bool = False
    scored: Scored | None = None


Outcome = tuple[Case, Scored | EbbError]


def scored(cases: Sequence[Case], routed: Routed[Variant], now: float, signals: Signals) -> list[Outcome]:
    """Score every case with its release; hard ones of the cheap release, and those that one failed, go on.

    Args:
        cases: in any order.
        routed: the table in force.
        now: epoch seconds.
        signals: takes `escalated` and `model_failed`, one for each entity.
    """
    outcomes = _by_release(cases, routed, now, signals)
    onward = [case for case, outcome in outcomes if case.role != CHAMPION and _goes_on(case, outcome, routed)]
    if not onward:
        return outcomes
    for case in onward:
        case.role, case.variant, case.escalated = CHAMPION, routed.champion, True
    signals.count("escalated", len(onward))
    positions = {case.position for case in onward}
    kept = [(case, outcome) for case, outcome in outcomes if case.position not in positions]
    return [*kept, *_by_release(onward, routed, now, signals)]


def _by_release(cases: Sequence[Case], routed: Routed[Variant], now: float, signals: Signals) -> list[Outcome]:
    if len({case.variant.name for case in cases}) == 1:
        found = _together(cases, routed, now)
    else:
        found = []
        for _, group in groupby(sorted(cases, key=_name), key=_name):
            found += _together(list(group), routed, now)
    failed = [outcome for _, outcome in found if isinstance(outcome, Scored) and outcome.model_failed]
    if failed:
        signals.count("model_failed", len(failed))
    return found


def _together(cases: Sequence[Case], routed: Routed[Variant], now: float) -> list[Outcome]:
    """Score cases of one release."""
    items, readings = [case.item for case in cases], [case.reading for case in cases]
    return list(zip(cases, score(cases[0].variant, items, readings, now, routed.features), strict=True))


def _name(case: Case) -> str:
    return case.variant.name


def _goes_on(case: Case, outcome: Scored | EbbError, routed: Routed[Variant]) -> bool:
    if isinstance(outcome, EbbError):
        return False
    if outcome.model_failed:
        return True
    cheap = routed.table.cheap
    if case.role != CHEAP or cheap is None or outcome.degraded:
        return False
    return abs(outcome.probability - case.variant.threshold) < cheap.margin
