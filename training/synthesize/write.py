"""The table of synthetic customers and, beside it, their true probabilities; both appear whole or not at all."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ebb.errors import DataError, Misuse
from ebb.synced import replaced
from training.progress import Progress, Silent
from training.synthesize.columns import KEY, table_of
from training.synthesize.customers import draw_customers, log_hazard, probability
from training.synthesize.world import World, chunk_random, make_world

CHUNK_ROWS = 20_000
TABLE, TRUTH = "customers.parquet", "truth.parquet"
_MOST_ROWS = 99_999_999
_SILENT = Silent()


def synthesize(rows: int, seed: int, out: Path, progress: Progress = _SILENT) -> Path:
    """Write `<out>/customers.parquet` and `<out>/truth.parquet` (customer_id, probability).

    The same rows and seed give the same bytes; the first chunks do not depend on how many follow.

    Args:
        rows: how many customers.
        seed: 0 or more; names the world and its customers.
        out: folder; made where it is not there.
        progress: shows the rows as they are written.

    Returns:
        The path of the table.

    Raises:
        Misuse: rows or seed are out of range.
        DataError: the folder cannot be written; nothing new is left in it.
    """
    if not 1 <= rows <= _MOST_ROWS or seed < 0:
        raise Misuse(f"rows must be between 1 and {_MOST_ROWS:,} and the seed 0 or more, not {rows} and {seed}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        # The table last: where it lies, its truth does too.
        with replaced(out / TABLE) as table, replaced(out / TRUTH) as truth:
            _write(rows, seed, {TABLE: table, TRUTH: truth}, progress)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise DataError(f"{out} cannot be written: {reason}; name another folder with --out") from None
    return out / TABLE


def make_chunk(world: World, seed: int, chunk: int, rows: int) -> tuple[pa.Table, pa.Table]:
    """Make one chunk: the table as published, and its truth."""
    random = chunk_random(seed, chunk)
    customers = draw_customers(random, world, CHUNK_ROWS)
    truth = probability(log_hazard(world, customers))
    churned = np.asarray(random.random(CHUNK_ROWS) < truth)
    table = table_of(random, chunk * CHUNK_ROWS + 1, customers, churned).slice(0, rows)
    return table, pa.table({KEY: table[KEY], "probability": pa.array(truth[:rows])})


def _write(rows: int, seed: int, partials: dict[str, Path], progress: Progress) -> None:
    world = make_world(seed)
    writers: dict[str, pq.ParquetWriter] = {}
    try:
        with progress.step("Synthesize customers", rows) as done:
            for chunk, start in enumerate(range(0, rows, CHUNK_ROWS)):
                table, truth = make_chunk(world, seed, chunk, min(CHUNK_ROWS, rows - start))
                for name, part in ((TABLE, table), (TRUTH, truth)):
                    if name not in writers:
                        writers[name] = pq.ParquetWriter(partials[name], part.schema, compression="zstd")
                    writers[name].write_table(part)
                done(table.num_rows)
    finally:
        for writer in writers.values():
            writer.close()
