"""Values that stand only in rows of one outcome: they may have been written once it was known."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.describe.kinds import Column

_EXCEPTIONS, _LEAST_SHARE = 0.002, 0.05
_CHANCE = math.log(1e-9)


def giveaway(column: Column, labels: NDArray[np.int8]) -> str:
    """Say what gives the outcome away: being filled, being empty, or one text; "" where nothing does.

    Chance is ruled out: with the share of positive rows as it is, as many rows of one outcome would come together
    less than once in a billion times.

    Args:
        column: as read.
        labels: int8 [N].
    """
    filled = _filled(column)
    if filled is None:
        return ""
    for mask, told in ((filled, "a value"), (~filled, "no value")):
        for outcome, named in ((1, "the positive outcome"), (0, "the negative outcome")):
            if _one_sided(int(mask.sum()), int((labels[mask] == outcome).sum()), labels, outcome):
                return f"{_share(mask, labels, outcome)} of the {int(mask.sum()):,} rows with {told} have {named}"
    if column.texts is None:
        return ""
    rows = column.texts.counts()
    positive = np.bincount(column.texts.codes, labels, minlength=len(rows))
    found = [c for c in range(1, len(rows)) if _one_sided(int(rows[c]), int(positive[c]), labels, 1)]
    if not found:
        return ""
    return f"{len(found)} of its texts ({int(rows[found].sum()):,} rows) stand only in rows with the positive outcome"


def _filled(column: Column) -> NDArray[np.bool_] | None:
    if column.numbers is not None:
        return np.asarray(~np.isnan(column.numbers))
    return None if column.texts is None else ~column.texts.missing


def _one_sided(rows: int, of_outcome: int, labels: NDArray[np.int8], outcome: int) -> bool:
    every = int((labels == outcome).sum())
    if rows == len(labels) or every in {0, len(labels)} or of_outcome < _LEAST_SHARE * every:
        return False
    return rows - of_outcome <= _EXCEPTIONS * rows and rows * math.log(every / len(labels)) < _CHANCE


def _share(mask: NDArray[np.bool_], labels: NDArray[np.int8], outcome: int) -> str:
    share: Any = (labels[mask] == outcome).mean()
    return "all" if share == 1 else f"{share:.1%}"
