"""What no single column tells of a table in a file: leaks, groups, outcomes before their row, a test that overlaps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ebb.errors import DataError
from training.dataset import Dataset, accept_table, read_table
from training.dataset.event_times import event_times_by_row
from training.dataset.parquet_file import part_files
from training.dataset.read import read_names
from training.dataset.refusals import Refusals
from training.dataset.wanted import Wanted
from training.progress import Progress
from training.validation.finding import Finding
from training.validation.learnable import judge_learnable
from training.validation.order import judge_outcomes, judge_split
from training.validation.question import Question

_SAMPLED, _GROUPS = 50_000, 16


def judge_beyond(path: Path, question: Question, progress: Progress, *, sampled: bool) -> list[Finding]:
    """Accept the table, or a sample of a large one, and judge what its columns are worth together.

    Raises:
        DataError: the contract refuses something, or a column that the question names is not there.
    """
    contract = question.contract
    names = frozenset(read_names(path))
    columns = question.needed(names)
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
