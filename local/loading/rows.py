"""A batch of accepted rows as the text that Postgres copies: made column by column, never row by row.

A number is the shortest text that names its float32, an integer has no point, a missing one is `null`; a missing
category is the empty text. So the values come back with the very bits that training saw.
"""

from collections.abc import Iterator, Sequence
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


def layout(contract: Contract) -> list[str]:
    """Return the names of the features in the order of the JSON arrays."""
    return [f.name for f in (*contract.numbers, *contract.categories)]


def copy_parts(contract: Contract, batch: Batch, event_times: NDArray[np.float64], layout_id: int) -> list[memoryview]:
    """Return the good rows of a batch in Postgres's COPY format, in parts in which no entity stands twice.

    A later row of an entity stands in a later part, to be merged after its earlier one. The columns are those of
    `ebb.postgres.merge.INCOMING`: entity_id, event_time, "values" as a JSON object, the layout's id, the same values
    as a JSON array in the order of `layout`.

    Args:
        contract: names the features.
        batch: accepted rows.
        event_times: epoch seconds [N].
        layout_id: names the layout in the history.
    """
    good = np.flatnonzero(batch.good)
    if not len(good):
        return []
    lines = _lines(contract, batch, event_times, layout_id, good)
    turns = occurrence(batch.entities.codes[good])
    if not turns.any():
        return [_part(lines)]
    return [_part(lines.take(pa.array(np.flatnonzero(turns == turn)))) for turn in np.unique(turns)]


def occurrence(codes: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return how often each code stood before, [N]."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.empty(len(codes), np.intp)
    counts[order] = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
    return counts


def _lines(
    contract: Contract, batch: Batch, event_times: NDArray[np.float64], layout_id: int, good: NDArray[np.intp]
) -> Any:
    """Return one line a row, as an Arrow array of texts."""
    numbers = [_numbers(batch.numbers[good, i]) for i in range(batch.numbers.shape[1])]
    cells = [*numbers, *(_categories(texts, good) for texts in batch.categories)]
    names = [_copied(orjson.dumps(name).decode()) for name in layout(contract)]
    keys = pa.array([_copied(str(key)) for key in batch.entities.distinct], pa.string())
    times = pa.array(event_times[good]).cast(pa.string())
    pieces: list[Any] = [keys.take(pa.array(batch.entities.codes[good])), "\t", times, "\t"]
    for i, (name, cell) in enumerate(zip(names, cells, strict=True)):
        pieces += [f"{',' if i else '{'}{name}:", cell]
    pieces += [f"}}\t{layout_id}\t["]
    for i, cell in enumerate(cells):
        pieces += [",", cell] if i else [cell]
    pieces += ["]\n"]
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


def _categories(texts: Texts, rows: NDArray[np.intp]) -> Any:
    spelled = pa.array([_copied(orjson.dumps(text).decode()) for text in texts.distinct], pa.string())
    return spelled.take(pa.array(texts.codes[rows]))


def _copied(text: str) -> str:
    """Escape a text for COPY; printable texts and JSON hold no tab and no line end."""
    return text.replace("\\", "\\\\")


def _part(lines: Any) -> memoryview:
    _, ends, data = lines.buffers()
    bounds = np.frombuffer(ends, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])]
