"""One piece of a table scored from its file into another: what a worker process does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from ebb.contract import Contract
from ebb.errors import DataError
from ebb.synced import sync
from training.batch.accepted import accept
from training.batch.refused import Reasons, write_lines
from training.batch.scored import Look, ScoredWriter, Totals
from training.batch.scorer import BatchScorer
from training.batch.shards import Shard, state_of
from training.dataset.batch import needed_columns
from training.dataset.stream import open_stream

ROWS = 1 << 14
"""Rows of a batch: their columns fit in a second-level cache, and nothing is gained by more."""

Told = Callable[[int], None]


@dataclass(frozen=True)
class Setup:
    """What all pieces share.

    Attributes:
        contract: what rows must fit.
        look: of the scored table.
        collect: whether refused rows are left out and kept in a file; else they refuse the piece.
        repeated: keys that more than one row has.
    """

    contract: Contract
    look: Look
    collect: bool
    repeated: frozenset[str]


@dataclass(frozen=True)
class Task:
    """One piece.

    Attributes:
        shard: where it lies.
        first, end: its rows, 0-based; `end` is None for all that follow.
        work: the file to write first.
        target: the file that it becomes when it is whole; None where more is to be done with it.
        csv: whether it is csv.
        refused: the file of its refused rows.
        facts: what its footer says, so that a later run knows it.
    """

    shard: Shard
    first: int
    end: int | None
    work: Path
    target: Path | None
    csv: bool
    refused: Path
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What came of a piece.

    Attributes:
        totals: of what was written.
        reasons: why rows were refused.
    """

    totals: Totals
    reasons: Reasons


def run(task: Task, setup: Setup, scorer: BatchScorer, told: Told) -> Done:
    """Score a piece; without `collect` nothing is put in place once a row is refused, but all are looked at.

    Args:
        task: the piece.
        setup: what all share.
        scorer: the release's.
        told: of rows that are done.

    Raises:
        DataError: the file is damaged, was changed meanwhile, or the scored one cannot be written.
    """
    reasons = Reasons()
    with _told_of_the_disk(task):
        task.work.parent.mkdir(parents=True, exist_ok=True)
        task.refused.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        task.refused.unlink(missing_ok=True)
        with ScoredWriter(task.work, setup.look, csv=task.csv) as writer:
            for first, table, ragged in _batches(task, setup.contract):
                rows = accept(
                    setup.contract, table, str(task.shard.path), first=first, ragged=ragged, repeated=setup.repeated
                )
                reasons.add(rows, first)
                if rows.refused and setup.collect:
                    write_lines(task.refused, task.shard.name, rows, first)
                if len(rows.good) and (setup.collect or not reasons.rows):
                    keys = rows.keys if not rows.refused else rows.keys.take(pa.array(rows.good))
                    writer.add(keys, scorer.score(rows.numbers, rows.categories))
                told(table.num_rows)
            writer.flush()
            if task.facts:
                writer.note({**task.facts, **_facts(writer.totals, reasons)})
        if state_of(task.shard.path) != task.shard.state:
            raise DataError(f"{task.shard.path} was changed while it was read: score it again")
        if task.target is not None and (setup.collect or not reasons.rows):
            put(task.work, task.target)
    return Done(writer.totals, reasons)


def put(work: Path, target: Path) -> None:
    """Give a whole file its place, so that a crash leaves either what was there before or all of it.

    Raises:
        OSError: it cannot be placed.
    """
    sync(work)
    target.parent.mkdir(parents=True, exist_ok=True)
    work.replace(target)
    sync(target.parent)


def _facts(totals: Totals, reasons: Reasons) -> dict[str, str]:
    told = {"rows": totals.rows, "acted_on": totals.acted_on, "probability": totals.probability}
    return {f"ebb.{name}": repr(value) for name, value in {**told, "refused": reasons.rows}.items()}


def _batches(task: Task, contract: Contract) -> Iterator[tuple[int, pa.Table, dict[int, str]]]:
    """Yield (0-based place, rows, ragged rows among them by place)."""
    if task.shard.rows == 0:
        return
    stream = open_stream(task.shard.path)
    first = task.first
    for table in stream.batches(needed_columns(contract), ROWS, skip=first):
        rows = table if task.end is None else table.slice(0, task.end - first)
        ragged = {place: reason for place, reason in stream.ragged.items() if place < first + rows.num_rows}
        yield first, rows, ragged
        for place in ragged:
            stream.ragged.pop(place)
        first += rows.num_rows
        if task.end is not None and first >= task.end:
            return


@contextmanager
def _told_of_the_disk(task: Task) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = task.target or task.work
        raise DataError(f"{place} could not be written: {error.strerror or error}; nothing was kept of it") from None
