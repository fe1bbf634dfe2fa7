"""What a contract refuses in a batch of a table, row by row, so that the other rows can go on."""

from collections.abc import Mapping
from operator import itemgetter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.dataset.refusals import Refusals


class RowRefusals(Refusals):
    """`Refusals` that keep each row's own reasons, and raise at once what holds for a whole column.

    Args:
        source: the table's name for people.
        contract: the contract's name.
        features: the names of features by their columns.
        ragged: rows (0-based) that are none, with the only reason that is told of them.
    """

    def __init__(self, source: str, contract: str, features: Mapping[str, str], ragged: Mapping[int, str]) -> None:
        super().__init__(source, contract)
        self._features, self._ragged = features, ragged
        self._found: list[tuple[str, str, NDArray[np.intp]]] = []

    def add(self, sentence: str) -> None:
        """Refuse the whole table.

        Raises:
            DataError: always.
        """
        super().add(sentence)
        self.raise_if_any()

    def add_rows(
        self,
        name: str,
        reason: str,
        rows: NDArray[np.intp],
        column: pa.ChunkedArray | None = None,  # noqa: ARG002 - a value is never shown
        *,
        personal: bool = True,  # noqa: ARG002 - as above
    ) -> None:
        """Keep a reason that holds for rows (0-based) of a column; see `Refusals.add_rows`."""
        if len(rows):
            self._found.append((self._features.get(name, name), reason, rows))

    def good(self, rows: int) -> NDArray[np.bool_]:
        """Return which of the first `rows` rows nothing was said about, bool [rows]."""
        good = np.ones(rows, bool)
        good[list(self._ragged)] = False
        for _, _, found in self._found:
            good[found] = False
        return good

    def by_row(self) -> list[tuple[int, str, str]]:
        """Return (0-based row, feature, reason), in the order of the rows."""
        every = [(row, "", reason) for row, reason in self._ragged.items()]
        every += [
            (int(row), feature, reason)
            for feature, reason, rows in self._found
            for row in rows
            if int(row) not in self._ragged
        ]
        return sorted(every, key=itemgetter(0))
