"""The pieces of a single table put together."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from ebb.errors import DataError
from training.batch.place import CSV
from training.batch.scored import Look, ScoredWriter, Totals
from training.batch.task import ROWS, Done, Task, put


def put_together(tasks: Sequence[Task], done: Sequence[Done], look: Look, work: Path, out: Path) -> Totals:
    """Give a scored table its place; its bytes are the same however many pieces it came in.

    Args:
        tasks: the pieces, in the order of the rows.
        done: what came of each.
        look: of the table.
        work: where a run writes first.
        out: the place.

    Raises:
        DataError: it cannot be written; what was there before still stands.
    """
    whole, totals = tasks[0].work, done[0].totals
    try:
        if len(tasks) > 1:
            whole = work / "whole"
            totals = _join([task.work for task in tasks], whole, look, csv=out.suffix == CSV)
        put(whole, out)
    except OSError as error:
        raise DataError(f"{out} could not be written: {error.strerror or error}; nothing was kept") from None
    return totals


def _join(parts: Sequence[Path], whole: Path, look: Look, *, csv: bool) -> Totals:
    key, probability = look.schema.names[:2]
    with ScoredWriter(whole, look, csv=csv) as writer:
        for path in parts:
            with pq.ParquetFile(path) as part:
                for batch in part.iter_batches(ROWS, columns=[key, probability]):
                    writer.add(batch.column(0), batch.column(1).to_numpy())
    return writer.totals
