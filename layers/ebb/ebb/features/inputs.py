"""Accepted values as the two tensors of the graph."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Value
from ebb.errors import BadFeatures, Refusal
from ebb.features.values import Refused, accept


@dataclass(frozen=True)
class Inputs:
    """What the graph is fed.

    Attributes:
        numbers: float32 [N, n]; NaN is missing.
        categories: object (str) [N, c]; "" is missing.
    """

    numbers: NDArray[np.float32]
    categories: NDArray[Any]

    def __len__(self) -> int:
        """Rows."""
        return len(self.numbers)

    def rows(self, index: Any) -> "Inputs":
        """Return the rows that a numpy index picks."""
        return Inputs(self.numbers[index], self.categories[index])


def encode(contract: Contract, rows: Sequence[Mapping[str, float | str]]) -> Inputs:
    """Lay accepted values (from `accept_row`) out as tensors, in the contract's column order."""
    numbers = np.empty((len(rows), len(contract.numbers)), np.float32)
    categories = np.empty((len(rows), len(contract.categories)), object)
    number_names = [f.name for f in contract.numbers]
    category_names = [f.name for f in contract.categories]
    for i, row in enumerate(rows):
        numbers[i] = [row[name] for name in number_names]
        categories[i] = [row[name] for name in category_names]
    return Inputs(numbers, categories)


def accept_some(contract: Contract, raw: Mapping[str, Value]) -> dict[str, float | str]:
    """Accept the given features, whichever they are.

    Raises:
        BadFeatures: a name is no feature of the contract, or a value is refused; names every one.
    """
    accepted: dict[str, float | str] = {}
    refusals = []
    for name, value in raw.items():
        feature = contract.by_name.get(name)
        if feature is None:
            refusals.append(Refusal(name[:64], "is no feature of the contract"))
            continue
        try:
            accepted[name] = accept(feature, value)
        except Refused as refused:
            refusals.append(Refusal(name, str(refused)))
    if refusals:
        raise BadFeatures(refusals)
    return accepted


def accept_row(contract: Contract, raw: Mapping[str, Value]) -> dict[str, float | str]:
    """Accept one entity's whole row; features that are not given count as missing.

    Raises:
        BadFeatures: a name is unknown, a value is refused, or one that may not be missing is absent.
    """
    return accept_some(contract, {**dict.fromkeys(contract.by_name), **raw})
