"""A world of events from beginning to end: how many customers a size holds, the shards, the manifest."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ebb.errors import DataError, Misuse
from training.progress import Progress, Silent
from training.synthesize.crew import make_shards
from training.synthesize.folder import claimed, finish, whole_shards
from training.synthesize.options import MOST_CUSTOMERS, MOST_WORKERS, Options
from training.synthesize.shard import SHARD_CUSTOMERS, measure_shard, shards_of

_SILENT = Silent()
_ROUGHLY = 185
"""Bytes that a customer takes in a month, to begin with."""
_CLOSE = 0.02
_LOOKS = 4


@dataclass(frozen=True)
class Synthesized:
    """What a synthesis left.

    Attributes:
        manifest: as written.
        made: shards that were made now; the others were whole already.
        peak: most memory of a worker in bytes; 0 where none was needed.
    """

    manifest: dict[str, Any]
    made: int
    peak: int


def customers_of(size: int, options: Options) -> int:
    """Return how many customers take about `size` bytes: a shard is made and weighed.

    Raises:
        Misuse: they would be too many.
    """
    customers = max(1, size // (_ROUGHLY * options.months))
    for _ in range(_LOOKS):
        weighed = min(customers, SHARD_CUSTOMERS)
        taken = measure_shard(replace(options, customers=weighed)) / weighed
        customers = max(1, round(size / taken))
        if customers >= SHARD_CUSTOMERS == weighed or abs(customers / weighed - 1) < _CLOSE:
            break
    if customers > MOST_CUSTOMERS:
        raise Misuse(f"--size: would need {customers:,} customers, but at most {MOST_CUSTOMERS:,} are possible")
    return customers


def synthesize_events(
    options: Options, out: Path, workers: int | None = None, progress: Progress = _SILENT
) -> Synthesized:
    """Write a world of events: `events/`, `customers/`, `outcomes/`, `truth/` in shards, and `manifest.json`.

    The same options give the same bytes, whatever the number of workers. What an earlier run left whole is kept.

    Args:
        options: of the world.
        out: folder; made where it is not there.
        workers: processes; as many as there are processors when None.
        progress: shows the months of the shards as they are made.

    Raises:
        Misuse: the workers are out of range, or the folder holds something else.
        Conflict: another process is at work on the folder.
        DataError: the folder cannot be written, or a worker was ended; the same call goes on from what is whole.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if not 1 <= workers <= MOST_WORKERS:
        raise Misuse(f"--workers {workers}: must be between 1 and {MOST_WORKERS}")
    shards = shards_of(options)
    try:
        with claimed(out, options), progress.step("Synthesize events", shards * options.months) as done:
            notes = whole_shards(out, shards)
            done(len(notes) * options.months)
            missing = [shard for shard in range(shards) if shard not in notes]
            made = make_shards(options, missing, out, workers, done)
            return Synthesized(finish(out, options, {**notes, **made.notes}), len(missing), made.peak)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise DataError(f"{out} cannot be written: {reason}; name another folder with --out") from None
