"""A csv or parquet file, or a folder of parquet shards, scored with a release's own graph."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ebb.decision import threshold
from ebb.errors import Misuse
from ebb.release.load import LoadedRelease
from training.batch.place import check_target, work_folder
from training.batch.plan import Plan, plan_pieces, plan_shards
from training.batch.refused import Reasons, gather, refuse, refuse_foreign
from training.batch.repeated import look_through
from training.batch.scored import Look, Totals
from training.batch.shards import find_shards
from training.batch.task import Done, Setup
from training.batch.whole import put_together
from training.batch.workers import results
from training.progress import Progress


def score_prefix(
    release: LoadedRelease,
    source: Path,
    out: Path,
    *,
    workers: int = 1,
    progress: Progress,
    refused: Path | None = None,
) -> dict[str, Any]:
    """Score every row of a table of any length: the same graph, the bits of single answers.

    Memory does not grow with the rows. The scored table holds the key (or the row number), `probability` (float32),
    `decision` and `release`. A single file appears whole or not at all; a folder's shards appear one by one under
    their own names, and those that an earlier run has finished are not scored again, unless release or shard changed.

    Args:
        release: what scores.
        source: csv, parquet or a folder of parquet; a label column is not needed.
        out: a file that ends in `.csv` or `.parquet`; for a folder of shards a folder, which is made.
        workers: processes that score side by side, by shards, or by the row groups of a single parquet file.
        progress: told of the rows.
        refused: where rows go that the contract refuses, as csv without their values, so that the others can be
            scored; without it one such row refuses its file.

    Returns:
        `rows`, `acted_on`, `mean_probability` (None without rows), `refused`, `shards`, `already_scored` (shards),
        `keys_compared` (whether repeated keys were looked for).

    Raises:
        Misuse: paths or `workers` cannot be meant.
        Conflict: another run writes there.
        DataError: the table does not fit the contract, or the scored one cannot be written.
        Unavailable: a worker process was killed.
    """
    key = release.contract.entity_column or "row"
    check_target(source, out, key)
    if workers < 1:
        raise Misuse(f"--workers {workers}: must be 1 or more")
    if refused is not None:
        refuse_foreign(refused)
    shards = find_shards(source, release.contract)
    several = source.is_dir()
    with work_folder(out, several=several) as work:
        rows, repeated = look_through(shards, release.contract)
        look = Look(key, release.name, threshold(release.contract.decision))
        setup = Setup(release.contract, look, refused is not None, repeated or frozenset())
        if several:
            plan = plan_shards(shards, out, work, release.sha256, collect=refused is not None)
        else:
            plan = plan_pieces(shards[0], out, work, workers)
        done = _score(plan, setup, release, rows=rows, workers=workers, progress=progress)
        found = _reasons(plan, done)
        if refused is None:
            refuse(source, release.contract, found, len(shards) - len(found))
        else:
            gather(refused, plan.refused)
        totals = _sum(plan, done) if several else put_together(plan.tasks, done, look, work, out)
    return {
        "rows": totals.rows,
        "acted_on": totals.acted_on,
        "mean_probability": totals.probability / totals.rows if totals.rows else None,
        "refused": sum(why.rows for why in found.values()) + sum(count for _, count in plan.before.values()),
        "shards": len(shards),
        "already_scored": len(plan.before),
        "keys_compared": repeated is not None,
    }


def _score(
    plan: Plan, setup: Setup, release: LoadedRelease, *, rows: int, workers: int, progress: Progress
) -> list[Done]:
    """Do what is not done yet; return what came of each task, in their order."""
    done: dict[Path, Done] = {}
    with progress.step("Score", rows) as told:
        for totals, refused in plan.before.values():
            told(totals.rows + refused)
        for task, came in results(plan.tasks, setup, release.scorer, rows=rows, workers=workers, told=told):
            done[task.work] = came
    return [done[task.work] for task in plan.tasks]


def _reasons(plan: Plan, done: Sequence[Done]) -> dict[str, Reasons]:
    """Return why rows were refused, by shard; without the shards in which none was."""
    found: dict[str, Reasons] = {}
    for task, came in zip(plan.tasks, done, strict=True):
        found.setdefault(task.shard.name, Reasons()).merge(came.reasons)
    return {name: reasons for name, reasons in found.items() if reasons.rows}


def _sum(plan: Plan, done: Sequence[Done]) -> Totals:
    """Sum up in the order of the names, whoever was done first: the last bits of a sum of floats depend on it."""
    each = {name: totals for name, (totals, _) in plan.before.items()}
    each |= {task.shard.name: came.totals for task, came in zip(plan.tasks, done, strict=True)}
    return sum((each[name] for name in sorted(each)), Totals())
