"""Which pieces a table is scored in, and which of them an earlier run has done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from training.batch.place import CSV, finished
from training.batch.scored import Totals
from training.batch.shards import Shard, group_bounds
from training.batch.task import ROWS, Task

_PIECES = 4
"""Pieces of a single file for each process: so many that all end at about the same time."""


@dataclass
class Plan:
    """What is to be done.

    Attributes:
        tasks: in the order of the rows.
        before: by shard, what an earlier run wrote, and how many rows it refused.
        refused: files of refused rows, of every piece, in the order of the rows.
    """

    tasks: list[Task] = field(default_factory=list)
    before: dict[str, tuple[Totals, int]] = field(default_factory=dict)
    refused: list[Path] = field(default_factory=list)


def plan_shards(shards: Sequence[Shard], out: Path, work: Path, release: str, *, collect: bool) -> Plan:
    """Make a task of each shard that is not done.

    Args:
        shards: all of a folder.
        out: the folder that they are scored into.
        work: where a run writes first.
        release: sha256 of the release.
        collect: whether refused rows are collected; a shard scored without them is done only if it has none.
    """
    plan = Plan()
    for shard in shards:
        target, lines = out / shard.name, out / ".refused" / f"{shard.name}.csv"
        facts = {"ebb.release.sha256": release, "ebb.source": shard.state}
        plan.refused.append(lines)
        before = finished(target, facts)
        if before is not None and (before[1] == 0 or (collect and lines.exists())):
            plan.before[shard.name] = before
            continue
        file = work / f"{len(plan.tasks):06d}"
        plan.tasks.append(Task(shard, 0, None, file, target, csv=False, refused=lines, facts=facts))
    return plan


def plan_pieces(shard: Shard, out: Path, work: Path, workers: int) -> Plan:
    """Make the tasks of a single file: one, or for several processes one for every few row groups."""
    pieces: list[tuple[int, int | None]] = [(0, None)]
    if workers > 1 and shard.rows is not None:
        pieces = list(pairwise(_bounds(group_bounds(shard.path), max(ROWS, shard.rows // (workers * _PIECES)))))
    plan = Plan()
    for number, (first, end) in enumerate(pieces):
        file, lines = work / f"{number:06d}", work / f"{number:06d}.refused"
        csv = len(pieces) == 1 and out.suffix == CSV
        plan.tasks.append(Task(shard, first, end, file, None, csv=csv, refused=lines))
        plan.refused.append(lines)
    return plan


def _bounds(groups: Sequence[int], size: int) -> list[int]:
    """Pick bounds of row groups that are at least `size` rows apart, the last one excepted."""
    bounds = [0]
    for bound in groups[1:-1]:
        if bound - bounds[-1] >= size:
            bounds.append(bound)
    return [*bounds, groups[-1]]
