"""The values of accepted rows as JSON texts, column by column: what is copied into Postgres, and sent over HTTPS.

A number is the shortest text that names its float32, an integer has no point, a missing one is `null`; a missing
category is the empty text. So the values come back with the very bits that training saw.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.features.values import FLOAT32_MAX
from training.dataset.batch import Batch
from training.dataset.texts import Texts

Escape = Callable[[str], str]


def layout(contract: Contract) -> list[str]:
    """Return the names of the features in the order of the cells."""
    return [f.name for f in (*contract.numbers, *contract.categories)]


def cells_of(batch: Batch, rows: NDArray[np.intp], escape: Escape = str) -> list[Any]:
    """Return one Arrow array of JSON texts a feature, in the order of `layout`.

    Args:
        batch: accepted rows.
        rows: which of them, positions [N].
        escape: what is done to the JSON of a text.
    """
    numbers = [_numbers(batch.numbers[rows, i]) for i in range(batch.numbers.shape[1])]
    return [*numbers, *(_categories(texts, rows, escape) for texts in batch.categories)]


def joined(pieces: Sequence[Any]) -> Any:
    """Return the texts that stand beside each other as one text a row; constants and arrays in any order."""
    return pc.binary_join_element_wise(*_merged(pieces), "")


def _merged(pieces: Sequence[Any]) -> Iterator[Any]:
    """Join neighbouring constants: each argument costs a pass over the rows."""
    constant = ""
    for piece in pieces:
        if isinstance(piece, str):
            constant += piece
            continue
        if constant:
            yield pa.scalar(constant, pa.string())
        constant = ""
        yield piece
    if constant:
        yield pa.scalar(constant, pa.string())


def _numbers(column: NDArray[np.float32]) -> Any:
    # Postgres knows no minus zero; both tiers are to hold the same.
    text = pa.array(column + np.float32(0), mask=np.isnan(column)).cast(pa.string()).fill_null("null")
    largest = np.abs(column) == np.float32(FLOAT32_MAX)
    if largest.any():  # its shortest text is rounded up, to what no float32 holds
        text = pc.if_else(pa.array(largest), pa.array(column.astype(np.float64)).cast(pa.string()), text)
    return text


def _categories(texts: Texts, rows: NDArray[np.intp], escape: Escape) -> Any:
    spelled = pa.array([escape(orjson.dumps(text).decode()) for text in texts.distinct], pa.string())
    return spelled.take(pa.array(texts.codes[rows]))
