"""A batch of accepted rows as the text that Postgres copies: made column by column, never row by row."""

from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract
from local.loading.cells import cells_of, joined, layout
from training.dataset.batch import Batch


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
    cells = cells_of(batch, good, _copied)
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
    return joined(pieces)


def _copied(text: str) -> str:
    """Escape a text for COPY; printable texts and JSON hold no tab and no line end."""
    return text.replace("\\", "\\\\")


def _part(lines: Any) -> memoryview:
    _, ends, data = lines.buffers()
    bounds = np.frombuffer(ends, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])]
