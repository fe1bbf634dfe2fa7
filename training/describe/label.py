"""Which outcome is to be learned, and which of its two values means yes."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Label
from ebb.errors import DataError
from training.dataset.column_names import nearest
from training.dataset.label import read_labels, same_value
from training.dataset.refusals import Refusals, short
from training.dataset.texts import as_texts

_YES = {"yes", "true", "1", "y", "t", "positive", "churned", "churn", "left", "lost", "exited", "attrited", "default",
        "defaulted", "bad", "fraud", "cancelled", "canceled", "converted", "bought", "attrited customer"}  # fmt: skip
_WINDOW_DAYS = 30


def guess_label(table: pa.Table, column: str, positive: str | None, source: str) -> tuple[Label, str, NDArray[np.int8]]:
    """Return the label, how its positive value was found, and the labels, int8 [N].

    Raises:
        DataError: there is no such column, or it does not hold exactly two values in every row, or `positive` is
            neither of them.
    """
    if column not in table.column_names:
        near = nearest(column, table.column_names)
        hint = f": did you mean {near!r}?" if near else f": it has {', '.join(map(repr, table.column_names[:12]))}"
        raise DataError(f"{source} has no column {column!r} for the label{hint}")
    value, told = (positive, "as asked for") if positive is not None else _positive(table[column], column, source)
    label = Label(column, value, _WINDOW_DAYS)
    refusals = Refusals(source, None)
    labels = read_labels(label, table[column], refusals)
    refusals.raise_if_any()
    if labels is None:
        raise DataError(f"{source} cannot be used: its label column {column!r} was refused")
    return label, told, labels


def _positive(values_of: pa.ChunkedArray, column: str, source: str) -> tuple[str, str]:
    """Guess the positive value by its word, else take the rarer one."""
    try:
        texts = as_texts(values_of)
    except TypeError as error:
        raise DataError(
            f"{source} cannot be used: the label column {column!r} {error}, but must hold two plain values"
        ) from None
    values = [str(text) for text in texts.distinct[1:]]
    if not values:
        raise DataError(
            f"{source} cannot be used: the label column {column!r} is empty in every row: fill it, or name another"
        )
    said = [value for value in values if same_value(value.strip().lower()) in _YES]
    if len(said) == 1:
        return said[0], f"guessed: of the column's values, {short(said[0])} says yes"
    rarer = values[int(np.argmin(texts.counts()[1:]))]
    return rarer, f"guessed: {short(rarer)} is the rarer of the column's values"
