"""From events to one table: a row an entity and snapshot, with features as of then and, where mature, the label."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ebb.errors import DataError
from training.events.engine import Advance, Engine, open_engine
from training.events.plan import Plan, read_plan
from training.events.reach import Source
from training.events.runs import Runs
from training.events.snapshots import latest_known, latest_mature, refuse_immature, told
from training.events.source import open_events
from training.events.table import table_file
from training.progress import Progress, Silent

_SILENT = Silent()
_SHARES = 100
_LATE = timedelta(days=1)


@dataclass
class Built:
    """What a build made.

    Attributes:
        contract: its name.
        out: the table's file.
        rows: of the table, by snapshot.
        events: that name an entity and a time.
        first: when the first of them happened.
        last: when the last did.
        seconds: by step.
        notes: sentences worth saying to people.
    """

    contract: str
    out: Path
    rows: dict[datetime, int]
    events: int
    first: datetime
    last: datetime
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def build_table(
    contract: Path, data: Path, moments: Sequence[datetime], out: Path, *, labelled: bool, progress: Progress = _SILENT
) -> Built:
    """Build a contract's features from events.

    Args:
        contract: its file; the SQL files lie beside it.
        data: the events, parquet or csv, a file or a folder.
        moments: the snapshots, with a zone; none for the latest, which is just after the last event or, labelled, the
            latest mature one.
        out: the parquet file to write; it appears whole or not at all.
        labelled: whether the outcome is built too.
        progress: shown how far it is.

    Raises:
        ContractError: the contract cannot be used or does not fit events and SQL; names the line.
        DataError: events or SQL cannot be used, a snapshot is immature or has no entity, or `out` cannot be written.
    """
    plan = read_plan(contract)
    if labelled and plan.label is None:
        raise plan.fail("`label` is missing from [events], so no outcome can be built: add it", "events")
    if not out.parent.is_dir():
        raise DataError(f"{out} cannot be written: there is no folder {out.parent}")
    queries = 1 + max(1, len(set(moments))) * (len(plan.sets) + labelled) + 1
    spill = out.with_name(f".{out.name}.spill-{os.getpid()}")
    with (
        open_engine(spill) as engine,
        progress.step("Build features from events", queries * _SHARES) as advance,
    ):
        return _build(engine, plan, data, set(moments), out, labelled=labelled, advance=advance)


def _build(
    engine: Engine, plan: Plan, data: Path, moments: set[datetime], out: Path, *, labelled: bool, advance: Advance
) -> Built:
    started = time.perf_counter()
    source = open_events(engine, plan, data, advance)
    built = Built(plan.contract.name, out, {}, source.count, source.first, source.last, notes=list(source.notes))
    chosen = _chosen(plan, source, moments, labelled=labelled)
    if chosen[-1] > source.last + _LATE:
        built.notes.append(f"the last event is of {told(source.last)}: is it all there is before {told(chosen[-1])}?")
    built.seconds["read"] = _since(started)
    runs = Runs(engine, plan, source, advance, labelled=labelled)
    started = time.perf_counter()
    with table_file(out) as file:
        for snapshot in chosen:
            table = runs.run(snapshot)
            built.rows[snapshot] = table.num_rows
            file.append(table)
    advance(_SHARES)
    built.notes.extend(runs.notes)
    built.seconds["build"] = _since(started)
    return built


def _chosen(plan: Plan, source: Source, moments: set[datetime], *, labelled: bool) -> tuple[datetime, ...]:
    """Return the snapshots in their order; none of them immature where the outcome is asked for."""
    days = plan.contract.label.window_days
    latest = latest_mature(days, source.first, source.last) if labelled else None
    chosen = tuple(sorted(moments)) or (latest or latest_known(source.last),)
    if labelled:
        refuse_immature(chosen, days, source.first, source.last)
    return chosen


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)
