"""Which groups of a protected feature would be acted on how often."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Feature, Kind
from ebb.features.inputs import Inputs

SMALLEST_GROUP = 50
"""Rows; the share of a smaller group is chance."""
_MOST_VALUES = 10
MISSING = "missing"


@dataclass(frozen=True)
class Group:
    """One group of a protected feature.

    Attributes:
        name: the category, the value or the range.
        rows: how many.
        positives: share of positive labels.
        acted_on: share that would be acted on.
    """

    name: str
    rows: int
    positives: float
    acted_on: float


@dataclass(frozen=True)
class Fairness:
    """The groups of one protected feature that have enough rows, and the gap between their shares acted on."""

    feature: str
    groups: tuple[Group, ...]

    @property
    def gap(self) -> float:
        """Largest difference in the share acted on; 0 with fewer than two groups."""
        shares = [group.acted_on for group in self.groups]
        return max(shares) - min(shares) if shares else 0.0

    @property
    def rows(self) -> int:
        """Rows in the judged groups."""
        return sum(group.rows for group in self.groups)


def fairness(
    contract: Contract, inputs: Inputs, labels: NDArray[np.int8], acted: NDArray[np.bool_]
) -> tuple[Fairness, ...]:
    """Compare the groups of every protected feature.

    Args:
        contract: says which features are protected.
        inputs: N rows.
        labels: 0 or 1, [N].
        acted: whether each row would be acted on, [N].
    """
    found = []
    for feature in contract.features:
        if not feature.protected:
            continue
        names = group_names(feature, _column(contract, inputs, feature))
        groups = []
        for name in np.unique(names).tolist():
            rows = names == name
            if (count := int(rows.sum())) >= SMALLEST_GROUP:
                groups.append(Group(name, count, float(labels[rows].mean()), float(acted[rows].mean())))
        found.append(Fairness(feature.name, tuple(groups)))
    return tuple(found)


def group_names(feature: Feature, column: NDArray[Any]) -> NDArray[Any]:
    """Return each row's group, str [N]: the category, the value of a flag or of few values, else a quarter's range."""
    if feature.is_category:
        return np.array([value or MISSING for value in column.tolist()], dtype=str)
    known = column[~np.isnan(column)]
    values = np.unique(known)
    if feature.kind is Kind.FLAG or len(values) <= _MOST_VALUES:
        return np.array([MISSING if np.isnan(v) else f"{v:g}" for v in column.tolist()], dtype=str)
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
    bounds = [f"{edge:g}" for edge in edges]
    ranges = [f"below {bounds[0]}", *(f"{a} to {b}" for a, b in pairwise(bounds))]
    names = np.array([*ranges, f"{bounds[-1]} and above", MISSING])
    place = np.where(np.isnan(column), len(names) - 1, np.searchsorted(edges, column, side="right"))
    grouped: NDArray[Any] = names[place]
    return grouped


def _column(contract: Contract, inputs: Inputs, feature: Feature) -> NDArray[Any]:
    if feature.is_category:
        categories: NDArray[Any] = inputs.categories[:, contract.categories.index(feature)]
        return categories
    return inputs.numbers[:, contract.numbers.index(feature)]
