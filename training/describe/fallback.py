"""A readable fallback score from a table: the base rate and the few single splits that say most."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Adjustment, Kind, Rules
from training.describe.kinds import Column
from training.describe.model import Guess

_MOST, _LEAST_SHARE, _LEAST_EFFECT = 3, 0.03, 0.02
_QUANTILES = np.linspace(0.1, 0.9, 9)

Candidate = tuple[Adjustment, NDArray[np.bool_]]


def guess_rules(guesses: list[Guess], columns: list[Column], labels: NDArray[np.int8], rows: NDArray[Any]) -> Rules:
    """Choose up to three adjustments, greedily: each one explains most of what the earlier ones leave.

    Suspected leaks, protected and personal features are no ground for a rule.

    Args:
        guesses: the features.
        columns: what stands in them, in the same order.
        labels: int8 [N].
        rows: positions looked at.
    """
    known = labels[rows].astype(np.float64)
    base = round(float(known.mean()), 2)
    rest = known - base
    candidates: list[Candidate] = []
    for guess, column in zip(guesses, columns, strict=True):
        if not (guess.leak or guess.feature.protected or guess.feature.personal):
            candidates.extend(_candidates(guess, column, rows))
    chosen: list[Adjustment] = []
    while candidates and len(chosen) < _MOST:
        gains = [float(rest[mask].sum()) ** 2 / mask.sum() for _, mask in candidates]
        best, mask = candidates[int(np.argmax(gains))]
        effect = round(min(1.0, max(-1.0, float(rest[mask].mean()))), 2)
        if abs(effect) < _LEAST_EFFECT:
            break
        chosen.append(_with(best, effect))
        rest = rest - effect * mask
        candidates = [candidate for candidate in candidates if candidate[0].feature != best.feature]
    return Rules(base, tuple(chosen))


def _candidates(guess: Guess, column: Column, rows: NDArray[Any]) -> Iterator[Candidate]:
    name = guess.feature.name
    for adjustment, mask in _splits(name, column, rows):
        if _LEAST_SHARE <= mask.mean() <= 1 - _LEAST_SHARE:
            yield adjustment, mask


def _splits(name: str, column: Column, rows: NDArray[Any]) -> Iterator[Candidate]:
    if column.texts is not None:
        codes = column.texts.codes[rows]
        share = np.bincount(codes, minlength=len(column.texts.distinct)) / len(rows)
        for code in np.flatnonzero(share >= _LEAST_SHARE):
            text = str(column.texts.distinct[code])
            yield (Adjustment(name, 0, equals=text) if text else Adjustment(name, 0, missing=True)), codes == code
    elif column.numbers is not None:
        values = column.numbers[rows]
        yield Adjustment(name, 0, missing=True), np.isnan(values)
        if column.kind is Kind.FLAG:
            yield Adjustment(name, 0, equals=True), values == 1
            return
        filled = values[np.isfinite(values)]
        seen = np.quantile(filled, _QUANTILES).tolist() if len(filled) else []
        for cut in sorted({float(f"{value:.2g}") for value in seen}):
            yield Adjustment(name, 0, below=cut), values < cut
            yield Adjustment(name, 0, at_least=cut), values >= cut


def _with(adjustment: Adjustment, add: float) -> Adjustment:
    return Adjustment(
        adjustment.feature, add, adjustment.below, adjustment.at_least, adjustment.equals, missing=adjustment.missing
    )
