"""A table held against its contract, column by column; what fits is kept, what does not is named."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.contract.feature import Written
from ebb.features.inputs import Inputs
from training.dataset.column_names import match_columns
from training.dataset.content import digest, identical_rows
from training.dataset.event_times import read_event_times
from training.dataset.features import accept_category, accept_numbers
from training.dataset.keys import read_keys, row_numbers
from training.dataset.label import read_labels
from training.dataset.read import read_names, read_table
from training.dataset.refusals import Refusals
from training.dataset.texts import Texts
from training.dataset.wanted import Wanted
from training.progress import Progress, Silent

_SILENT = Silent()


@dataclass(frozen=True)
class Dataset:
    """A table that its contract accepts.

    Attributes:
        inputs: what the graph is fed, N rows.
        labels: int8 [N], 1 where the outcome is positive; None where no label was asked for.
        entity_ids: object (str) [N]; without a key column the 1-based row number.
        sha256: of the accepted content; the same content gives the same digest.
        notes: sentences worth saying to people.
        event_times: when each row's features were true, epoch seconds [N]; None where the contract names no column.
        texts: the categories again [c], each as its distinct texts and the code of each row: who learns from them
            need not look at every row's text.
    """

    inputs: Inputs
    labels: NDArray[np.int8] | None
    entity_ids: NDArray[Any]
    sha256: str
    notes: tuple[str, ...]
    event_times: NDArray[np.float64] | None = None
    texts: tuple[Texts, ...] = ()

    @property
    def rows(self) -> int:
        """Rows."""
        return len(self.inputs)

    @cached_property
    def groups(self) -> NDArray[np.intp] | None:
        """Number of each row's entity, [N]; None where every entity has one row."""
        if self.event_times is None:
            return None
        ids = pa.array(self.entity_ids, pa.large_string()).dictionary_encode()
        entities = ids.dictionary.to_numpy(zero_copy_only=False)
        place = np.empty(len(entities), np.intp)
        place[np.argsort(entities)] = np.arange(len(entities))
        return None if len(entities) == self.rows else place[ids.indices.to_numpy()]


def read_dataset(path: Path, contract: Contract, *, labelled: bool = True, progress: Progress = _SILENT) -> Dataset:
    """Read a file and hold it against the contract.

    Raises:
        DataError: the file cannot be read, or the contract refuses something in it.
    """
    refusals = Refusals(str(path), contract.name)
    notes = match_columns(contract, read_names(path), refusals, labelled=labelled)
    refusals.raise_if_any()
    columns = _held(read_table(path, wanted_by(contract, labelled=labelled)))
    return _accept(contract, columns, refusals, notes, labelled=labelled, progress=progress)


def accept_table(
    contract: Contract, table: pa.Table, *, labelled: bool, source: str, progress: Progress = _SILENT
) -> Dataset:
    """Hold a table against the contract.

    Args:
        contract: what the table must fit.
        table: the columns; those that the contract does not mention are ignored with a note.
        labelled: whether the label is needed; then, with an event time, an entity may have one row a moment.
        source: the table's name for messages.
        progress: shows the columns as they are accepted.

    Raises:
        DataError: names each refused column with its first rows and count; never a value of a personal feature.
    """
    refusals = Refusals(source, contract.name)
    notes = match_columns(contract, table.column_names, refusals, labelled=labelled)
    refusals.raise_if_any()
    return _accept(contract, _held(table), refusals, notes, labelled=labelled, progress=progress)


def _accept(
    contract: Contract,
    columns: dict[str, pa.ChunkedArray],
    refusals: Refusals,
    notes: list[str],
    *,
    labelled: bool,
    progress: Progress,
) -> Dataset:
    """Hold columns against the contract; each is given up as soon as it is accepted, so that no table stands twice."""
    rows = len(columns[contract.features[0].column])
    numbers = np.empty((rows, len(contract.numbers)), np.float32)
    categories = np.empty((rows, len(contract.categories)), object)
    texts: list[Texts] = []
    with progress.step("Accept columns", len(contract.features)) as done:
        for i, feature in enumerate(contract.numbers):
            numbers[:, i] = accept_numbers(feature, columns.pop(feature.column), refusals)
            done(1)
        for i, feature in enumerate(contract.categories):
            texts.append(accept_category(feature, columns.pop(feature.column), refusals, notes))
            categories[:, i] = texts[-1].values()
            done(1)
    labels = read_labels(contract.label, columns[contract.label.column], refusals) if labelled else None
    key = contract.entity_column
    when = contract.event_time
    times = None if when is None else read_event_times(when, columns[when], refusals)
    moments = times if labelled else None
    keys = row_numbers(rows) if key is None else read_keys(key, columns[key], refusals, moments)
    columns.clear()
    refusals.raise_if_any()
    if key is None:
        notes.extend(_without_key(identical_rows(numbers, texts, labels)))
    sha256 = digest(contract, numbers, texts, labels, keys, times=moments)
    return Dataset(
        Inputs(numbers, categories), labels, np.asarray(keys, object), sha256, tuple(notes), times, tuple(texts)
    )


def wanted_by(contract: Contract, *, labelled: bool) -> Wanted:
    """Return the columns that a contract asks for, and how their texts are held.

    Keys rarely repeat, so that coding them would cost more than it saves.

    Args:
        contract: names the columns.
        labelled: whether the label is needed.
    """
    coded = [f.column for f in contract.categories] + [contract.label.column] * labelled
    spelled = [f.column for f in contract.numbers if f.written is not Written.PLAIN]
    keys = [] if contract.entity_column is None else [contract.entity_column]
    times = [] if contract.event_time is None else [contract.event_time]
    return Wanted([f.column for f in contract.numbers] + coded + keys + times, coded, keys + spelled)


def _held(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _without_key(same: int) -> list[str]:
    told = ["no key column: the entity is the 1-based row number"]
    return [*told, f"identical rows kept: {same:,}"] if same else told
