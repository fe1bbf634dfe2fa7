"""The groups that a feature's values fall into: categories, few values, or quarters of a number."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Feature, Kind
from training.fit.coded import Coded

MISSING = "missing"
_MOST_VALUES = 10
_LOOKED_AT = 20_000
"""Rows that tell whether a number has few values."""


@dataclass(frozen=True)
class Grouping:
    """The group of each of N rows.

    Attributes:
        codes: positions in `names`, [N].
        names: of the groups; some may have no row.
    """

    codes: NDArray[Any]
    names: tuple[str, ...]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of each group."""
        return np.bincount(self.codes, minlength=len(self.names))

    def only(self, kept: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return codes [N] of the kept groups in their order; -1 for the rows of others."""
        place = np.full(len(self.names), -1, np.int64)
        place[kept] = np.arange(len(kept))
        codes: NDArray[np.int64] = place[self.codes]
        return codes


def grouping(contract: Contract, coded: Coded, feature: Feature) -> Grouping:
    """Return the groups of a feature: its categories, values (of a flag, or ten at most) or quarters."""
    if feature.is_category:
        j = contract.categories.index(feature)
        return Grouping(coded.codes[:, j], tuple(name or MISSING for name in coded.names[j]))
    return of_numbers(feature, coded.numbers[:, contract.numbers.index(feature)])


def of_numbers(feature: Feature, column: NDArray[np.float32]) -> Grouping:
    """Return the groups of a number or flag, float32 [N] with NaN as missing."""
    missing = np.isnan(column)
    known = column[~missing]
    few = len(np.unique(known[:_LOOKED_AT])) <= _MOST_VALUES
    values = np.unique(known) if few else known
    if feature.kind is Kind.FLAG or len(values) <= _MOST_VALUES:
        values = np.unique(known)
        codes = np.where(missing, len(values), np.searchsorted(values, column))
        return Grouping(codes, (*_spelled(values), MISSING))
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
    bounds = _spelled(edges)
    names = (f"below {bounds[0]}", *(f"{a} to {b}" for a, b in pairwise(bounds)), f"{bounds[-1]} and above", MISSING)
    codes = np.where(missing, len(names) - 1, np.searchsorted(edges, column, side="right"))
    return Grouping(codes, names)


def _spelled(values: NDArray[np.floating[Any]]) -> list[str]:
    """Return different texts of different numbers: short ones, where these tell them apart."""
    short = [f"{value:g}" for value in values.tolist()]
    return short if len(set(short)) == len(short) else [f"{float(str(np.float32(value))):.9g}" for value in values]
