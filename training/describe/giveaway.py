"""Values that stand only in rows of one outcome: they may have been written once it was known."""

import math

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
    every = int(labels.sum())
    for mask, told in ((filled, "a value"), (~filled, "no value")):
        rows, positive = int(mask.sum()), int(labels[mask].sum())
        for of, total, named in ((positive, every, "positive"), (rows - positive, len(labels) - every, "negative")):
            if _one_sided(rows, of, total, len(labels)):
                share = "all" if of == rows else f"{of / rows:.1%}"
                return f"{share} of the {rows:,} rows with {told} have the {named} outcome"
    if column.texts is None:
        return ""
    counts = column.texts.counts()
    positives = np.bincount(column.texts.codes, labels, minlength=len(counts))
    enough = np.flatnonzero(positives >= _LEAST_SHARE * every)
    found = [c for c in enough if c and _one_sided(int(counts[c]), int(positives[c]), every, len(labels))]
    if not found:
        return ""
    return f"{len(found)} of its texts ({int(counts[found].sum()):,} rows) stand only in rows with the positive outcome"


def _filled(column: Column) -> NDArray[np.bool_] | None:
    if column.numbers is not None:
        return np.asarray(~np.isnan(column.numbers))
    return None if column.texts is None else ~column.texts.missing


def _one_sided(rows: int, of_outcome: int, total: int, among: int) -> bool:
    """Tell whether nearly all of some rows have an outcome that `total` of `among` rows have."""
    if rows == among or total in {0, among} or of_outcome < _LEAST_SHARE * total:
        return False
    return rows - of_outcome <= _EXCEPTIONS * rows and rows * math.log(total / among) < _CHANCE
