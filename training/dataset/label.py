"""The label column: exactly two values, one of them the contract's positive one, none missing."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Label
from training.dataset.refusals import Refusals, name_rows, short
from training.dataset.texts import Texts, as_texts

_VALUES_SHOWN = 6


def read_labels(label: Label, column: pa.ChunkedArray, refusals: Refusals) -> NDArray[np.int8] | None:
    """Read the label as int8 [N], 1 where it is the positive value; None where it is refused."""
    try:
        texts = as_texts(column)
    except TypeError as error:
        refusals.add(f"the label column {label.column!r} {error}, but must hold two plain values")
        return None
    missing = np.flatnonzero(texts.missing)
    if len(missing):
        refusals.add(
            f"the label column {label.column!r} is missing in {name_rows(missing)} ({len(missing):,} in all): "
            "fill or remove these rows"
        )
        return None
    positive = _positive(label, texts, refusals)
    return None if positive is None else (texts.codes == positive).astype(np.int8)


def same_value(text: str) -> str:
    """Return one spelling for texts of the same number, such as 1 and 1.0; other texts as they are."""
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else text


def _positive(label: Label, texts: Texts, refusals: Refusals) -> int | None:
    """Find the code of the positive value, or say why there is none."""
    values = [str(text) for text in texts.distinct[1:]]
    shown = ", ".join(short(value) for value in values[:_VALUES_SHOWN])
    if len(values) > _VALUES_SHOWN:
        shown += ", ..."
    if len(values) == 1:
        refusals.add(f"the label column {label.column!r} is constant ({shown}): there is nothing to learn")
    elif len(values) > 2:  # noqa: PLR2004 - yes and no
        refusals.add(
            f"the label column {label.column!r} has {len(values):,} values ({shown}), but a yes/no outcome has two: "
            "remove rows or merge values"
        )
    else:
        found = [i for i, value in enumerate(values, 1) if same_value(value) == same_value(label.positive)]
        if found:
            return found[0]
        refusals.add(
            f"the label column {label.column!r} never holds the contract's positive value {short(label.positive)} "
            f"(it holds {shown}): correct `positive`"
        )
    return None
