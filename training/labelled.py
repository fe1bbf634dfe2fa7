"""Accepted rows with their labels: what a model is made from."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from training.dataset.texts import Texts
from training.fit import Coded, code


@dataclass(frozen=True)
class Labelled:
    """Accepted rows with their labels.

    Attributes:
        inputs: N rows.
        labels: 0 or 1, [N].
        sha256: of the accepted content.
        groups: number of each row's entity, [N]; None where every entity has one row.
        times: when each row's features were true, epoch seconds [N]; None where the contract names no event time.
        texts: the categories again, each as distinct texts and codes; empty where nobody has coded them yet.
    """

    inputs: Inputs
    labels: NDArray[np.int8]
    sha256: str
    groups: NDArray[np.intp] | None = None
    times: NDArray[np.float64] | None = None
    texts: tuple[Texts, ...] = field(default=(), repr=False)

    @cached_property
    def coded(self) -> Coded:
        """The rows as estimators learn from them."""
        if len(self.texts) != self.inputs.categories.shape[1]:
            return code(self.inputs)
        codes = np.empty(self.inputs.categories.shape, np.int32)
        for j, texts in enumerate(self.texts):
            codes[:, j] = texts.codes
        return Coded(self.inputs.numbers, codes, tuple(tuple(texts.distinct.tolist()) for texts in self.texts))

    def rows(self, index: NDArray[np.bool_]) -> "Labelled":
        """Return the rows that a mask [N] picks, their entities numbered anew; the content's sha256 stays."""
        return Labelled(
            self.inputs.rows(index),
            self.labels[index],
            self.sha256,
            None if self.groups is None else np.unique(self.groups[index], return_inverse=True)[1].reshape(-1),
            None if self.times is None else self.times[index],
        )
