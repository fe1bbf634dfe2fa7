"""What no single column tells of a table in a file: leaks, groups, outcomes before their row, a test that overlaps."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ebb.errors import DataError
from training.dataset import Dataset, accept_table, read_table
from training.dataset.event_times import event_times_by_row
from training.dataset.numbers import as_numbers
from training.dataset.read import read_names
from training.dataset.refusals import Refusals
from training.dataset.texts import as_texts
from training.progress import Progress
from training.validation.finding import Finding
from training.validation.learnable import judge_learnable
from training.validation.order import Learned, Wrong, judge_split, learned_of, outcomes_told, wrong_outcomes
from training.validation.protected import groups_in, groups_of, judge_groups
from training.validation.question import Question
from training.validation.sample import sample_of, tables_of


def judge_beyond(path: Path, question: Question, progress: Progress, *, sampled: bool) -> list[Finding]:
    """Accept the table, or a sample of a large one, and judge what its columns are worth together.

    Leaks are looked for in the sample; what is counted, is counted in all rows.

    Raises:
        DataError: the contract refuses something, or a column that the question names is not there.
    """
    contract = question.contract
    names = frozenset(read_names(path))
    label = contract.label.column if question.labelled else ""
    table = sample_of(path, question.needed(names), label) if sampled else read_table(path, question.wanted(names))
    dataset = accept_table(contract, table, labelled=question.labelled, source=str(path), progress=progress)
    whole = None if sampled else table
    found = list(judge_learnable(contract, dataset, str(path), whole=True))
    protected = [feature.column for feature in contract.features if feature.protected]
    if protected:
        groups = groups_in(contract, tables_of(path, protected)) if sampled else groups_of(contract, dataset)
        found += judge_groups(contract, groups)
    if question.outcome_time:
        found += _outcomes(path, question, names, whole)
    if question.test is not None:
        held = accept_table(
            contract,
            read_table(question.test, question.wanted(names)),
            labelled=question.labelled,
            source=str(question.test),
        )
        found += judge_split(contract, _learned(path, question, dataset, held, sampled=sampled), held)
    return found


def _outcomes(path: Path, question: Question, names: frozenset[str], whole: pa.Table | None) -> list[Finding]:
    name, when = question.outcome_time, question.contract.event_time
    if name not in names:
        raise DataError(f"there is no column {name!r}, but it should say when the outcome happened: correct the name")
    if when is None:
        raise DataError("the contract names no [event_time], so nothing tells whether an outcome came before: add it")
    wrong = Wrong()
    for table in _parts(path, [name, when], whole):
        times = _moments(path, name, table[name])
        wrong += wrong_outcomes(question.contract, event_times_by_row(when, table[when], Refusals("", None)), times)
    return outcomes_told(question.contract, name, wrong)


def _moments(path: Path, name: str, column: pa.ChunkedArray) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return when outcomes happened, epoch seconds [N]; NaN where none did."""
    refusals = Refusals(str(path), None)
    times = event_times_by_row(name, column, refusals)
    refusals.raise_if_any()
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        unreadable = int((as_numbers(column)[1] & np.isnan(times)).sum())
        if unreadable:
            raise DataError(
                f"{path}: the column {name!r} holds {unreadable:,} values that are no moment: write dates, ISO 8601 "
                "times or epoch seconds, and nothing where no outcome happened"
            )
    return times


def _learned(path: Path, question: Question, dataset: Dataset, held: Dataset, *, sampled: bool) -> Learned:
    """Return what a test is held against; of a table that was sampled, from all of its rows."""
    if not sampled:
        return learned_of(dataset)
    contract, asked = question.contract, set(held.entity_ids.astype(str).tolist())
    known: set[str] = set()
    newest: list[float] = []
    columns = [name for name in (contract.entity_column, contract.event_time) if name is not None]
    for table in tables_of(path, columns) if columns else ():
        if contract.entity_column is not None:
            known |= asked.intersection(as_texts(table[contract.entity_column]).distinct.tolist())
        if contract.event_time is not None:
            times = event_times_by_row(contract.event_time, table[contract.event_time], Refusals("", None))
            newest.append(float(np.max(times)))
    return Learned(np.array(sorted(known), object), max(newest, default=None))


def _parts(path: Path, columns: list[str], whole: pa.Table | None) -> Iterator[pa.Table]:
    if whole is not None:
        yield whole
    else:
        yield from tables_of(path, columns)
