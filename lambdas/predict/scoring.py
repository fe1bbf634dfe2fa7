"""Entities scored by one release: resolved, run through its graph at once, or answered by its contract's rules."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ebb.contract.model import Value
from ebb.errors import EbbError
from ebb.features.inputs import Inputs
from ebb.rules import rules_score
from ebb.store.reading import Reading
from lambdas.predict.request import Item
from lambdas.predict.resolve import Resolved
from lambdas.predict.variant import Variant

NO_MODEL = "the model cannot be loaded"
MODEL_FAILED = "the model does not answer"


@dataclass(slots=True)
class Scored:
    """One entity's score.

    Attributes:
        variant: whose.
        resolved: the values that were used.
        probability: of the positive class.
        degraded: why the rules gave it; empty where the model did.
        model_failed: whether the reason is the model, not the values.
    """

    variant: Variant
    resolved: Resolved
    probability: float
    degraded: Sequence[str] = ()
    model_failed: bool = False


def score(
    variant: Variant, items: Sequence[Item], readings: Sequence[Reading], now: float, known: frozenset[str]
) -> list[Scored | EbbError]:
    """Score entities with one release, in one run of its graph.

    Args:
        variant: the release.
        items: what the request brought for each.
        readings: what the store said of each.
        now: epoch seconds.
        known: every feature of the routing table's releases.

    Returns:
        For each its score, or the error that stands in its place: BadFeatures, StaleFeatures.
    """
    rows = variant.rows.resolve([_own(item.overrides, variant, known) for item in items], readings, now)
    scored: list[Scored | EbbError] = []
    usable = []
    for position, (found, reading) in enumerate(zip(rows.resolved, readings, strict=True)):
        if isinstance(found, EbbError):
            scored.append(found)
            continue
        problems = _problems(reading, found)
        if problems:
            scored.append(_by_rules(variant, found, problems))
        else:
            scored.append(Scored(variant, found, 0.0))
            usable.append(position)
    if usable:
        inputs = rows.inputs if len(usable) == len(items) else rows.inputs.rows(usable)
        _run(variant, inputs, [scored[position] for position in usable])
    return scored


def _own(overrides: Mapping[str, Value], variant: Variant, known: frozenset[str]) -> Mapping[str, Value]:
    """Leave out what only other releases know: no caller can tell which one will answer."""
    own = variant.contract.by_name
    if not overrides or overrides.keys() <= own.keys():
        return overrides
    return {name: value for name, value in overrides.items() if name in own or name not in known}


def _run(variant: Variant, inputs: Inputs, scored: Sequence[Scored | EbbError]) -> None:
    """Fill in the graph's probabilities; the rules' where it has none."""
    probabilities = [-1.0] * len(scored)
    if variant.release is not None:
        with suppress(Exception):  # ONNX Runtime raises its own types, unrelated to each other
            probabilities = variant.release.scorer.score(inputs).tolist()
    for one, probability in zip(scored, probabilities, strict=True):
        assert isinstance(one, Scored)  # noqa: S101 - for the type checker: only scored rows come here
        if 0.0 <= probability <= 1.0:
            one.probability = probability
        else:
            one.probability = rules_score(variant.contract.rules, one.resolved.known())
            one.degraded, one.model_failed = (MODEL_FAILED if variant.release else NO_MODEL,), True


def _by_rules(variant: Variant, resolved: Resolved, problems: Sequence[str]) -> Scored:
    return Scored(variant, resolved, rules_score(variant.contract.rules, resolved.known()), problems)


def _problems(reading: Reading, resolved: Resolved) -> Sequence[str]:
    """Say why the model cannot be used; a store that is away matters only to who needs it."""
    if reading.trouble and not resolved.complete:
        return (reading.trouble,)
    if resolved.missing or resolved.refused:
        return resolved.problems
    return ()
