"""A table in a file, validated as it stands: directly on its rows, or at any size over a profile."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ebb.contract import Contract
from ebb.errors import DataError
from training.dataset import read_table
from training.dataset.parquet_file import parquet_schema
from training.dataset.read import holds_parquet, read_names
from training.events.engine import open_engine
from training.progress import Progress, Silent
from training.validation.beyond import judge_beyond
from training.validation.expected import Expected, Verdict
from training.validation.facts import judge_profile
from training.validation.finding import CRITICAL
from training.validation.frame import frame_of_table
from training.validation.plainly import is_plain, write_plain
from training.validation.profile import Profile, profile
from training.validation.question import Question, edges_of
from training.validation.results import results_of
from training.validation.rows import judge_rows
from training.validation.sentences import findings_of
from training.validation.suite import Seen, events_suite, holds_events, suite_of
from training.validation.validate import Validation

ROWS_AT_ONCE = 1_000_000
"""Up to so many rows are judged directly; of more, a profile is."""

COLUMNS_AT_ONCE = 100
"""Of tables with more features a profile is judged, too: directly, each expectation of a column costs milliseconds."""

_SILENT = Silent()


def validate_table(path: Path, question: Question, progress: Progress = _SILENT) -> Validation:
    """Validate a csv file, a parquet file or a folder of parquet files.

    Args:
        path: the table, or the events that a contract builds its features from.
        question: what is asked.
        progress: shows the steps.

    Raises:
        DataError: the file cannot be read at all, or what is asked of it cannot be answered.
    """
    question = question if question.now else replace(question, now=time.time())
    names = read_names(path)
    parquet = holds_parquet(path)
    profiled = question.profiled
    if profiled is None:
        wide = len(question.contract.features) > COLUMNS_AT_ONCE
        profiled = wide or (parquet and parquet_schema(path)[1] > ROWS_AT_ONCE)
    events = holds_events(question.contract, names)
    if events and (question.test is not None or question.outcome_time):
        raise DataError(f"{path} holds events, which have no outcomes and no test: build the table of features first")
    if profiled or events:
        verdicts, results, rows = _by_profile(path, question, frozenset(names), progress, parquet=parquet)
    else:
        verdicts, results, rows = _by_rows(path, question, frozenset(names), progress)
    found = findings_of(verdicts, rows, str(path))
    if not events and not any(finding.severity == CRITICAL for finding in found):
        found += judge_beyond(path, question, progress, sampled=bool(profiled) and parquet)
        found.sort(key=lambda finding: finding.severity != CRITICAL)
    engine = "profile" if profiled or events else "rows"
    told = Validation(tuple(found), tuple(verdicts), rows, rows, engine, events)
    return replace(told, docs=_docs(path, question, told, results)) if question.docs else told


Judged = tuple[list[Verdict], list[Any], int]


def _by_rows(path: Path, question: Question, names: frozenset[str], progress: Progress) -> Judged:
    with progress.step("Judge rows", 2) as done:
        table = read_table(path, question.wanted(names))
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
        if not parquet or not is_plain(question.contract, path):
            path = _as_parquet(path, question, names, Path(folder) / "table.parquet")
        with progress.step("Profile", 100) as done, open_engine(Path(folder) / "spill", question.memory) as engine:
            edges = edges_of(question.contract, question.reference)
            told = profile(
                engine,
                path,
                question.contract,
                now=question.now,
                edges=edges,
                advance=done,
                moments=question.labelled,
            )
    suite = _suite(question, names, told.rows, told.filled, _entities(question.contract, told))
    verdicts = judge_profile(told, suite)
    results = results_of(verdicts, told.rows) if question.docs else []
    return verdicts, results, told.rows


def _suite(
    question: Question, names: frozenset[str], rows: int, filled: frozenset[str], entities: int
) -> tuple[Expected, ...]:
    seen = Seen(names, rows, question.now, question.labelled, filled=filled, independent=entities)
    if holds_events(question.contract, names):
        return events_suite(question.contract, seen)
    return suite_of(question.contract, seen, question.reference)


def _entities(contract: Contract, told: Profile) -> int:
    """Return how many entities there are, where an entity may have several rows; 0 where nobody counted them."""
    column = told.columns.get(contract.entity_column or "")
    if contract.event_time is None or column is None:
        return 0
    return min(int(column.figures.get("distinct") or 0), told.rows)


def _as_parquet(path: Path, question: Question, names: frozenset[str], target: Path) -> Path:
    """Write a table so that it can be profiled; of events, all columns."""
    columns = sorted(names) if holds_events(question.contract, names) else question.needed(names)
    if holds_parquet(path):
        write_plain(question.contract, path, columns, target)
        return target
    typed = target.with_name("typed.parquet")
    pq.write_table(read_table(path, replace(question.wanted(names), columns=columns)), typed)
    if is_plain(question.contract, typed):
        return typed
    write_plain(question.contract, typed, columns, target)
    return target


def _docs(path: Path, question: Question, told: Validation, results: Sequence[Any]) -> dict[str, bytes]:
    from training.validation.docs import PAGE, render  # noqa: PLC0415 - only where they are asked for

    line = f"{told.rows:,} rows, judged by {told.engine}; contract {question.contract.name}"
    return {PAGE: render(path.name, line, told.findings, results)}
