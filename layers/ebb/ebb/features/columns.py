"""A whole column against its feature, with the same answers as value by value, at numpy's speed."""

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Feature, Kind
from ebb.features import values


def refused_numbers(feature: Feature, column: NDArray[np.float64]) -> list[tuple[str, NDArray[np.intp]]]:
    """Find the values of a number, integer or flag column that the contract refuses.

    Args:
        feature: what the contract says; its kind is not category.
        column: float64 [N]; NaN is missing.

    Returns:
        Reasons with the 0-based rows each holds for; a row stands under its first reason only.
    """
    reasons: list[tuple[str, NDArray[np.bool_]]] = []
    missing = np.isnan(column)
    if not feature.missing:
        reasons.append((values.ABSENT, missing))
    with np.errstate(invalid="ignore"):
        if feature.kind is Kind.FLAG:
            reasons.append((values.NOT_A_FLAG, ~missing & (column != 0) & (column != 1)))
        else:
            reasons.append((values.INFINITE, np.isinf(column)))
            reasons.append((values.OVERFLOW, np.abs(column) > values.FLOAT32_MAX))
            if feature.kind is Kind.INTEGER:
                reasons.append((values.NOT_AN_INTEGER, ~missing & (column != np.floor(column))))
            as_kept = as_float32(column)
            if feature.minimum is not None:
                under = (column < feature.minimum) & (as_kept < values.rounded(feature.minimum))
                reasons.append((values.below(feature), under))
            if feature.maximum is not None:
                over = (column > feature.maximum) & (as_kept > values.rounded(feature.maximum))
                reasons.append((values.above(feature), over))
    found, taken = [], np.zeros(len(column), bool)
    for reason, mask in reasons:
        rows = np.flatnonzero(mask & ~taken)
        taken |= mask
        if len(rows):
            found.append((reason, rows))
    return found


def refused_category(feature: Feature, value: str) -> str | None:
    """Return why one distinct category is refused, or None; "" is missing."""
    try:
        values.accept(feature, value)
    except values.Refused as refused:
        return str(refused)
    return None


def as_float32(column: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to the graph's float32 (nearest, ties to even); 2^53 + 1 becomes 2^53.

    A range check comes first: what overflows would become infinite here.
    """
    with np.errstate(over="ignore"):
        return column.astype(np.float32)
