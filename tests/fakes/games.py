"""Made scorers whose exact explanations are known, and contracts for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract, parse_contract
from ebb.features.inputs import Inputs
from tests.fakes.contracts import TEXT


def contract_of(numbers: int, categories: int = 0, more: str = "") -> Contract:
    """Return a contract of features n0, n1, ... and c0, c1, ...; `more` stands in each."""
    head = TEXT[: TEXT.index("[[rules.adjust]]")]
    tables = [f'[[features]]\nname = "n{j}"\nkind = "number"\nmissing = true\n{more}\n' for j in range(numbers)]
    tables += [f'[[features]]\nname = "c{j}"\nkind = "category"\nmissing = true\n{more}\n' for j in range(categories)]
    return parse_contract(head + "".join(tables))


@dataclass
class Game:
    """Scores rows by a function of the two tensors, and counts the rows.

    Attributes:
        of: numbers [N, n] and categories [N, c] to scores [N].
    """

    of: Callable[[NDArray[np.float32], NDArray[Any]], NDArray[Any]]
    rows: list[int] = field(default_factory=list)

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the scores, float32 [N]."""
        self.rows.append(len(inputs))
        return self.of(inputs.numbers, inputs.categories).astype(np.float32)


def table_game(scores: NDArray[np.float64]) -> Game:
    """Return the game that looks scores up, one axis of two a number: whether it is above 0."""
    n = scores.ndim
    return Game(lambda numbers, _: scores[tuple((numbers[:, :n] > 0).astype(int).T)])


def wave_game(n: int) -> Game:
    """Return a game of n numbers without any simple explanation: a curve, and three that act together only."""
    weights = np.random.default_rng(n).normal(size=n) / np.sqrt(n)
    return Game(lambda numbers, _: 1 / (1 + np.exp(-(numbers @ weights) - numbers[:, :3].prod(axis=1))))
