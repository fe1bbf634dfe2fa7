"""What a contract refuses in a table, gathered over all columns into one message."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.errors import DataError

_ROWS_NAMED = 3
_MESSAGES = 10
_LONGEST_VALUE = 24


class Refusals:
    """Gathers sentences; `raise_if_any` makes them one error.

    Args:
        source: the table's name for people.
        contract: the contract's name; None where there is none yet.
    """

    def __init__(self, source: str, contract: str | None) -> None:
        self._source, self._contract = source, contract
        self._sentences: list[str] = []

    def add(self, sentence: str) -> None:
        """Add one sentence."""
        self._sentences.append(sentence)

    def add_rows(
        self, name: str, reason: str, rows: NDArray[np.intp], column: pa.ChunkedArray, *, personal: bool
    ) -> None:
        """Add a reason that holds for rows of a column.

        Args:
            name: the column's name.
            reason: follows the name, such as `is not a number`.
            rows: 0-based.
            column: where an example is taken from.
            personal: whether the value must not be shown.
        """
        example = column[int(rows[0])].as_py()
        shown = "" if personal or example is None or is_blank(example) else f", such as {short(example)}"
        count = f" ({len(rows):,} rows)" if len(rows) > _ROWS_NAMED else ""
        self.add(f"column {name!r} {reason}: {name_rows(rows)}{count}{shown}")

    def raise_if_any(self) -> None:
        """Raise what was gathered.

        Raises:
            DataError: there is at least one sentence; shows the first ten and counts the rest.
        """
        if not self._sentences:
            return
        start = self._source
        start += " cannot be used" if self._contract is None else f" does not fit the contract {self._contract!r}"
        if len(self._sentences) == 1:
            raise DataError(f"{start}: {self._sentences[0]}")
        lines = "".join(f"\n  - {sentence}" for sentence in self._sentences[:_MESSAGES])
        hidden = len(self._sentences) - _MESSAGES
        raise DataError(f"{start}:{lines}" + (f"\n  and {hidden} more" if hidden > 0 else ""))


def name_rows(rows: Sequence[int] | NDArray[np.intp]) -> str:
    """Name the first few of 0-based rows as people count them, from 1."""
    named = ", ".join(f"{int(row) + 1}" for row in rows[:_ROWS_NAMED])
    more = ", ..." if len(rows) > _ROWS_NAMED else ""
    return f"row{'s' if len(rows) > 1 else ''} {named}{more}"


def short(value: Any) -> str:
    """Show a value in quotes, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "...")


def is_blank(value: Any) -> bool:
    """Tell whether a cell is a text of blanks only."""
    return isinstance(value, str) and not value.strip()
