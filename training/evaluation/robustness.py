"""What happens to the answers when a feature stays away, or is measured a standard deviation too high."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Decision, Feature, Kind
from ebb.decision import threshold
from ebb.features.inputs import Inputs
from ebb.features.values import accept
from ebb.ports import Scorer
from training.evaluation.evidence import Robustness, Strain
from training.evaluation.money import earned
from training.evaluation.ranking import auc_of, rank
from training.evaluation.segments import most_important

_MOST_ROWS, _MOST_FEATURES = 1_000, 8


def robustness(
    contract: Contract,
    inputs: Inputs,
    labels: NDArray[np.int8],
    scorer: Scorer,
    *,
    importance: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Robustness:
    """Strain the most important features, one at a time, on at most 1,000 rows.

    Args:
        contract: names the features.
        inputs: N rows.
        labels: 0 or 1, [N].
        scorer: the graph.
        importance: of the features, numbers first; None takes the contract's order.
        seed: of the draw of rows.
    """
    rows = np.arange(len(labels))
    if len(rows) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), _MOST_ROWS, replace=False))
    some, known = inputs.rows(rows), labels[rows]
    usual = scorer.score(some).astype(np.float64)
    chosen = most_important(contract, importance, _MOST_FEATURES)
    strains = [
        _strain(contract.decision, strained, usual, scorer.score(strained.inputs).astype(np.float64), known)
        for feature in chosen
        for strained in _strained(contract, some, feature)
    ]
    strains.sort(key=lambda s: (-s.decisions_changed, -s.profit_lost))
    return Robustness(len(rows), len(chosen), len(contract.features), tuple(strains))


@dataclass(frozen=True)
class _Strained:
    """Rows with one feature changed; see `Strain`."""

    feature: str
    what: str
    inputs: Inputs
    touched: float


def _strained(contract: Contract, some: Inputs, feature: Feature) -> Iterator[_Strained]:
    if feature.is_category:
        j = contract.categories.index(feature)
        texts = some.categories.copy()
        texts[:, j] = "" if feature.default is None else accept(feature, feature.default)
        touched = float((texts[:, j] != some.categories[:, j]).mean())
        yield _Strained(feature.name, "missing", Inputs(some.numbers, texts), touched)
        return
    j = contract.numbers.index(feature)
    column = some.numbers[:, j]
    absent = np.nan if feature.default is None else float(accept(feature, feature.default))
    yield _with(some, feature, j, np.full(len(column), absent), "missing")
    if feature.kind is not Kind.FLAG and not np.isnan(column).all():
        low = -np.inf if feature.minimum is None else feature.minimum
        high = np.inf if feature.maximum is None else feature.maximum
        higher = np.clip(column + np.nanstd(column.astype(np.float64)), low, high)
        yield _with(some, feature, j, higher, "shifted")


def _with(some: Inputs, feature: Feature, place: int, column: NDArray[Any], what: str) -> _Strained:
    numbers = some.numbers.copy()
    numbers[:, place] = column
    before, after = some.numbers[:, place], numbers[:, place]
    changed = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return _Strained(feature.name, what, Inputs(numbers, some.categories), float(changed.mean()))


def _strain(
    decision: Decision,
    strained: _Strained,
    usual: NDArray[np.float64],
    answers: NDArray[np.float64],
    labels: NDArray[np.int8],
) -> Strain:
    at, worth = threshold(decision), earned(decision, labels)
    before, after = usual >= at, answers >= at
    lost = _auc(usual, labels) - _auc(answers, labels)
    return Strain(
        feature=strained.feature,
        what=strained.what,
        touched=strained.touched,
        auc_lost=None if np.isnan(lost) else lost,
        profit_lost=float((worth * (before.astype(np.float64) - after)).mean()),
        decisions_changed=float((before != after).mean()),
    )


def _auc(probabilities: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    ranked = rank(probabilities, labels)
    return float(auc_of(ranked.rows[None], ranked.positives[None])[0])
