"""Which outcome is to be learned, and which of its two values means yes."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Label
from ebb.errors import DataError
from training.dataset.accept import nearest
from training.dataset.label import read_labels, same_value
from training.dataset.refusals import Refusals, short
from training.dataset.texts import as_texts

_YES = {"yes", "true", "1", "y", "t", "positive", "churned", "churn", "left", "lost", "exited", "attrited", "default",
        "defaulted", "bad", "fraud", "cancelled", "canceled", "converted", "bought", "attrited customer"}  # fmt: skip
_WINDOW_DAYS = 30


def guess_label(table: pa.Table, column: str, positive: str | None) -> tuple[Label, str, NDArray[np.int8]]:
    """Return the label, how its positive value was found, and the labels, int8 [N].

    Raises:
        DataError: there is no such column, or it does not hold exactly two values in every row, or `positive` is
            neither of them.
    """
    if column not in table.column_names:
        near = nearest(column, table.column_names)
        hint = f": did you mean {near!r}?" if near else f": it has {', '.join(map(repr, table.column_names[:12]))}"
        raise DataError(f"the table has no column {column!r} for the label{hint}")
    value, told = (positive, "as asked for") if positive is not None else _positive(table[column])
    label = Label(column, value, _WINDOW_DAYS)
    refusals = Refusals("the table", None)
    labels = read_labels(label, table[column], refusals)
    refusals.raise_if_any()
    if labels is None:
        raise DataError(f"the label column {column!r} cannot be used")
    return label, told, labels


def _positive(column: pa.ChunkedArray) -> tuple[str, str]:
    """Guess the positive value by its word, else take the rarer one."""
    try:
        texts = as_texts(column)
    except TypeError as error:
        raise DataError(f"the label column {error}, but must hold two plain values") from None
    values = [str(text) for text in texts.distinct[1:]]
    if not values:
        raise DataError("the label column is empty in every row: name another column, or fill it")
    said = [value for value in values if same_value(value.strip().lower()) in _YES]
    if len(said) == 1:
        return said[0], f"guessed: of the column's values, {short(said[0])} says yes"
    rarer = values[int(np.argmin(texts.counts()[1:]))]
    return rarer, f"guessed: {short(rarer)} is the rarer of the column's values"
