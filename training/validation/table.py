"""A table in a file, validated as it stands: directly on its rows, or at any size over a profile."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ebb.contract import Contract
from ebb.errors import DataError
from ebb.release.reference import Reference
from training.dataset import Dataset, accept_table, read_table
from training.dataset.event_times import event_times_by_row
from training.dataset.parquet_file import parquet_schema, part_files
from training.dataset.read import holds_parquet, read_names
from training.dataset.refusals import Refusals
from training.dataset.wanted import Wanted
from training.events.engine import MEMORY, open_engine
from training.progress import Progress, Silent
from training.validation.expected import Expected, Verdict
from training.validation.facts import judge_profile
from training.validation.finding import CRITICAL, Finding
from training.validation.frame import frame_of_table
from training.validation.learnable import judge_learnable
from training.validation.order import judge_outcomes, judge_split
from training.validation.profile import Profile, profile
from training.validation.rows import judge_rows
from training.validation.sentences import findings_of
from training.validation.suite import Seen, events_suite, holds_events, suite_of
from training.validation.validate import Validation

ROWS_AT_ONCE = 1_000_000
"""Up to so many rows are judged directly; of more, a profile is."""

_SILENT = Silent()
_SAMPLED, _GROUPS = 50_000, 16


@dataclass(frozen=True)
class Question:
    """What is asked of a table.

    Attributes:
        contract: what it should fit.
        reference: of a release, for drift; None asks nothing of it.
        labelled: whether it is a table to learn from.
        profiled: whether to judge a profile; None decides by size.
        docs: whether to render the data docs.
        outcome_time: column of the moment that the outcome happened; "" where there is none.
        test: a second table, to be held against the first as its test.
        now: the moment of judging, epoch seconds; 0 is now.
        memory: the profile's limit, as DuckDB writes it.
    """

    contract: Contract
    reference: Reference | None = None
    labelled: bool = True
    profiled: bool | None = None
    docs: bool = False
    outcome_time: str = ""
    test: Path | None = None
    now: float = 0.0
    memory: str = MEMORY


def validate_table(path: Path, question: Question, progress: Progress = _SILENT) -> Validation:
    """Validate a csv file, a parquet file or a folder of parquet files.

    Args:
        path: the table, or the events that a contract builds its features from.
        question: what is asked.
        progress: shows the steps.

    Raises:
        DataError: the file cannot be read at all.
    """
    question = question if question.now else replace(question, now=time.time())
    names = read_names(path)
    parquet = holds_parquet(path)
    profiled = question.profiled
    if profiled is None:
        profiled = parquet and parquet_schema(path)[1] > ROWS_AT_ONCE
    events = holds_events(question.contract, names)
    if profiled or events:
        verdicts, results, rows = _by_profile(path, question, frozenset(names), progress, parquet=parquet)
    else:
        verdicts, results, rows = _by_rows(path, question, frozenset(names), progress)
    found = findings_of(verdicts, rows, str(path))
    if not events and not any(finding.severity == CRITICAL for finding in found):
        found += _beyond(path, question, progress, sampled=bool(profiled) and parquet)
        found.sort(key=lambda finding: finding.severity != CRITICAL)
    engine = "profile" if profiled or events else "rows"
    told = Validation(tuple(found), tuple(verdicts), rows, rows, engine)
    return replace(told, docs=_docs(path, question, told, results)) if question.docs else told


Judged = tuple[list[Verdict], list[Any], int]


def _by_rows(path: Path, question: Question, names: frozenset[str], progress: Progress) -> Judged:
    with progress.step("Judge rows", 2) as done:
        table = read_table(path, Wanted(columns=_needed(question, names)))
        done(1)
        frame = frame_of_table(question.contract, table, question.now)
        filled = frozenset(name for name in frame.columns if not frame[name].isna().any())
        key = question.contract.entity_column
        several = question.contract.event_time is not None and key in frame.columns
        suite = _suite(question, names, table.num_rows, filled, int(frame[key].nunique()) if several else 0)
        verdicts, results = judge_rows(frame, suite)
        done(1)
    return verdicts, results, table.num_rows


def _by_profile(path: Path, question: Question, names: frozenset[str], progress: Progress, *, parquet: bool) -> Judged:
    with tempfile.TemporaryDirectory(prefix="ebb-validate-") as folder:
        if not parquet:
            path = _as_parquet(path, Path(folder))
        with progress.step("Profile", 100) as done, open_engine(Path(folder) / "spill", question.memory) as engine:
            edges = _edges(question)
            told = profile(engine, path, question.contract, now=question.now, edges=edges, advance=done)
    filled = frozenset(name for name, column in told.columns.items() if column.figures["filled"] == told.rows)
    suite = _suite(question, names, told.rows, filled, _entities(question.contract, told))
    verdicts, results = judge_profile(told, suite)
    return verdicts, results, told.rows


def _suite(
    question: Question, names: frozenset[str], rows: int, filled: frozenset[str], entities: int
) -> tuple[Expected, ...]:
    seen = Seen(names, rows, question.now, question.labelled, filled=filled, independent=entities)
    if holds_events(question.contract, names):
        return events_suite(question.contract, seen)
    return suite_of(question.contract, seen, question.reference)


def _entities(contract: Contract, told: Profile) -> int:
    """Return how many entities there are, where an entity may have several rows."""
    column = told.columns.get(contract.entity_column or "")
    if contract.event_time is None or column is None:
        return 0
    return min(int(column.figures["distinct"]), told.rows)


def _edges(question: Question) -> dict[str, tuple[float, ...]]:
    known = question.reference.features if question.reference is not None else {}
    numbers = [feature for feature in question.contract.numbers if feature.name in known]
    return {feature.column: tuple(known[feature.name].get("edges", ())) for feature in numbers}


def _needed(question: Question, names: frozenset[str]) -> list[str]:
    contract = question.contract
    asked = [f.column for f in contract.features]
    asked += [contract.entity_column or "", contract.event_time or "", contract.label.column, question.outcome_time]
    return [name for name in dict.fromkeys(asked) if name in names]


def _as_parquet(path: Path, folder: Path) -> Path:
    target = folder / "table.parquet"
    pq.write_table(read_table(path), target)
    return target


def _beyond(path: Path, question: Question, progress: Progress, *, sampled: bool) -> list[Finding]:
    """Judge what the columns are worth together, on a sample where the table is large."""
    contract = question.contract
    names = frozenset(read_names(path))
    columns = _needed(question, names)
    table = _sample(path, columns) if sampled else read_table(path, Wanted(columns=columns))
    dataset = accept_table(contract, table, labelled=question.labelled, source=str(path), progress=progress)
    found = list(judge_learnable(contract, dataset, str(path), whole=True))
    if question.outcome_time:
        found += _outcomes(question, table, dataset)
    if question.test is not None:
        test = read_table(question.test, Wanted(columns=columns))
        held = accept_table(contract, test, labelled=question.labelled, source=str(question.test))
        found += judge_split(contract, dataset, held)
    return found


def _outcomes(question: Question, table: pa.Table, dataset: Dataset) -> list[Finding]:
    name = question.outcome_time
    if name not in table.column_names:
        raise DataError(f"there is no column {name!r}, but it should say when the outcome happened: correct the name")
    if dataset.event_times is None:
        raise DataError("the contract names no [event_time], so nothing tells whether an outcome came before: add it")
    times = event_times_by_row(name, table[name], Refusals("", None))
    return judge_outcomes(question.contract, name, dataset.event_times, times)


def _sample(path: Path, columns: Sequence[str]) -> pa.Table:
    """Return at most 50,000 rows, evenly from at most 16 row groups that lie evenly over the files."""
    groups = []
    for file in part_files(path):
        with pq.ParquetFile(file) as part:
            groups += [(file, i) for i in range(part.num_row_groups)]
    chosen = [groups[int(i)] for i in np.unique(np.linspace(0, len(groups) - 1, _GROUPS).astype(int))]
    parts = []
    for file, group in chosen:
        with pq.ParquetFile(file) as part:
            rows = part.read_row_group(group, columns=list(columns))
        step = -(-rows.num_rows * len(chosen) // _SAMPLED)
        parts.append(rows.take(pa.array(np.arange(0, rows.num_rows, max(step, 1)))))
    return pa.concat_tables(parts, promote_options="permissive")


def _docs(path: Path, question: Question, told: Validation, results: Sequence[Any]) -> dict[str, bytes]:
    from training.validation.docs import PAGE, render  # noqa: PLC0415 - only where they are asked for

    line = f"{told.rows:,} rows, judged by {told.engine}; contract {question.contract.name}"
    return {PAGE: render(path.name, line, told.findings, results)}
