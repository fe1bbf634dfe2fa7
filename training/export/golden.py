"""Golden examples: inputs on which a wrongly loaded graph would show, with the graph's exact answers.

No training row is copied: values are drawn column by column, so that no example is a person.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Feature, Kind, Unseen, Value
from ebb.decision import threshold
from ebb.errors import BadFeatures
from ebb.features.inputs import Inputs, accept_row, encode
from ebb.ports import Scorer
from ebb.release.golden import GoldenExample
from training.calibrate import Model
from training.export.edges import around, at_decision, edges
from training.export.parity_rows import UNSEEN
from training.fit import Logistic

_WANTED, _TYPICAL, _EACH = 60, 16, 11
_COMMONEST = 50
_Row = dict[str, Value]
_Made = tuple[str, _Row]


def make_golden(contract: Contract, inputs: Inputs, model: Model, scorer: Scorer, seed: int = 0) -> list[GoldenExample]:
    """Make about sixty examples that the contract accepts.

    Args:
        contract: says what is accepted.
        inputs: the training data, whose values are drawn from.
        model: whose turning points are approached, of any family.
        scorer: the graph that answers.
        seed: of the draw.
    """
    draw = _drawer(contract, inputs, np.random.default_rng(seed))
    made: list[_Made] = []
    for change in (_missing, _unseen, _boundary):
        made.extend(_some([(why, {**draw(), **new}) for why, new in change(contract)]))
    made.extend(_some(list(_turning(contract, model, draw)), _EACH * 2))
    made.extend(("typical", draw()) for _ in range(max(_TYPICAL, _WANTED - len(made))))
    accepted = [(why, raw) for why, raw in made if _accepts(contract, raw)]
    answers = scorer.score(encode(contract, [accept_row(contract, raw) for _, raw in accepted]))
    return [GoldenExample(why, raw, float(answer)) for (why, raw), answer in zip(accepted, answers, strict=True)]


def _drawer(contract: Contract, inputs: Inputs, rng: np.random.Generator) -> Callable[[], _Row]:
    pools = {f.name: _spoken(f, inputs.numbers[:, j]) for j, f in enumerate(contract.numbers)}
    pools |= {f.name: _common(inputs.categories[:, j]) for j, f in enumerate(contract.categories)}

    def draw() -> _Row:
        return {f.name: pools[f.name][int(rng.integers(len(pools[f.name])))] for f in contract.features}

    return draw


def _spoken(feature: Feature, column: NDArray[np.float32]) -> list[Value]:
    """Return values of the column as a caller would send them."""
    known = np.unique(column[~np.isnan(column)])
    spread = known[np.linspace(0, len(known) - 1, min(len(known), _COMMONEST)).astype(int)] if len(known) else known
    return [raw_value(feature, value) for value in spread] or [None]


def raw_value(feature: Feature, value: np.float32) -> Value:
    """Return the shortest raw value that the graph sees as exactly this float32."""
    if np.isnan(value):
        return None
    if feature.kind is Kind.FLAG:
        return bool(value)
    return int(value) if feature.kind is Kind.INTEGER else float(str(value))


def _common(column: NDArray[Any]) -> list[Value]:
    names, counts = np.unique(column.astype(str), return_counts=True)
    order = np.lexsort((names, -counts))[:_COMMONEST]
    return [str(name) or None for name in names[order]]


def _missing(contract: Contract) -> Iterator[_Made]:
    absent = [f.name for f in contract.features if f.missing]
    if absent:
        yield "missing: all that may be", dict.fromkeys(absent)
    for name in absent:
        yield f"missing: {name}", {name: None}


def _unseen(contract: Contract) -> Iterator[_Made]:
    for feature in contract.categories:
        if feature.unseen is Unseen.ALLOW:
            yield f"unseen: {feature.name}", {feature.name: UNSEEN}


def _boundary(contract: Contract) -> Iterator[_Made]:
    for feature in contract.numbers:
        for bound, word in ((feature.minimum, "minimum"), (feature.maximum, "maximum")):
            if bound is not None:
                value = int(bound) if feature.kind is Kind.INTEGER and bound == int(bound) else bound
                yield f"boundary: {feature.name} at its {word}", {feature.name: value}


def _turning(contract: Contract, model: Model, draw: Callable[[], _Row]) -> Iterator[_Made]:
    """Make rows on both sides of where the answer turns: of a split for trees, of the decision for a line."""
    if isinstance(model.fitted, Logistic):
        yield from _near_decision(contract, model, draw)
        return
    at = edges(model.fitted)
    for j, feature in enumerate(contract.numbers):
        if feature.kind is Kind.FLAG or j not in at:
            continue
        middle = at[j][len(at[j]) // 2 : len(at[j]) // 2 + 1]
        for value in _beside(feature, middle):
            yield f"threshold: {feature.name}", {**draw(), feature.name: value}


def _near_decision(contract: Contract, model: Model, draw: Callable[[], _Row]) -> Iterator[_Made]:
    probability = threshold(contract.decision)
    for j, feature in enumerate(contract.numbers):
        row = draw()
        if feature.kind is Kind.FLAG or not _accepts(contract, row):
            continue
        reached = at_decision(model, encode(contract, [accept_row(contract, row)]), j, probability)
        for value in _beside(feature, reached[np.isfinite(reached)]):
            yield f"threshold: {feature.name} where acting begins to pay", {**row, feature.name: value}


def _beside(feature: Feature, at: NDArray[np.floating]) -> list[Value]:
    """Return raw values on both sides of each edge."""
    if feature.kind is Kind.INTEGER:
        near = np.concatenate([np.floor(at), np.ceil(at)]).astype(np.float32)
    else:
        near = around(at)
    return [raw_value(feature, value) for value in near]


def _some(made: Sequence[_Made], most: int = _EACH) -> list[_Made]:
    """Return at most so many, spread evenly."""
    if len(made) <= most:
        return list(made)
    return [made[i] for i in np.linspace(0, len(made) - 1, most).astype(int)]


def _accepts(contract: Contract, raw: _Row) -> bool:
    try:
        accept_row(contract, raw)
    except BadFeatures:
        return False
    return True
