"""Rows as estimators learn from them: numbers, and categories as small whole numbers instead of texts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.features.inputs import Inputs


@dataclass(frozen=True)
class Coded:
    """N rows whose categories are codes.

    Attributes:
        numbers: float32 [N, n]; NaN is missing.
        codes: int32 [N, c], positions in `names`.
        names: the texts of each category column by their codes; the first is always "", which is missing. A text may
            stand there that no row has.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]
    names: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """Rows."""
        return len(self.numbers)

    def rows(self, index: Any) -> "Coded":
        """Return the rows that a numpy index picks; the names stay."""
        return Coded(self.numbers[index], self.codes[index], self.names)


def code(rows: Inputs | Coded) -> Coded:
    """Return rows with their categories as codes; each distinct text is looked at once."""
    if isinstance(rows, Coded):
        return rows
    codes = np.empty(rows.categories.shape, np.int32)
    names = []
    for j in range(rows.categories.shape[1]):
        codes[:, j], distinct = _coded(rows.categories[:, j])
        names.append(distinct)
    return Coded(rows.numbers, codes, tuple(names))


def _coded(column: NDArray[Any]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    encoded = pa.array(np.ascontiguousarray(column), pa.large_string()).dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    if "" not in texts:
        return codes + 1, ("", *texts)
    empty = texts.index("")
    place = np.arange(len(texts), dtype=np.int32)
    place[:empty] += 1
    place[empty] = 0
    return place[codes], ("", *texts[:empty], *texts[empty + 1 :])
