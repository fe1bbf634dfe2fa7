"""A table in files that is too large to be held: its rows one after another, or a sample that lies evenly over it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from training.dataset.parquet_file import parquet_schema, part_files, stream_parquet
from training.dataset.texts import as_texts
from training.validation.suite import LEAST_OF_A_CLASS

SAMPLED = 50_000
"""Rows of a sample, at most."""

MOST_RARE = 1_000
"""Rows of the rarer class that stand in for those which a sample misses, at most."""

_GROUPS, _BATCH = 16, 1 << 18


@dataclass(frozen=True)
class _Group:
    """One row group of one file."""

    file: Path
    place: int
    rows: int


def tables_of(path: Path, columns: Collection[str]) -> Iterator[pa.Table]:
    """Yield some columns of a parquet file, or of a folder of them, some rows at a time; names lose their blanks.

    Raises:
        DataError: a file is damaged.
    """
    for batch in stream_parquet(path, _spelled(path, columns), _BATCH, 0):
        yield _bare(pa.Table.from_batches([batch]))


def sample_of(path: Path, columns: Collection[str], label: str = "") -> pa.Table:
    """Return at most `SAMPLED` rows, evenly from row groups that lie evenly over the files.

    Where one class of the label has next to no row among them, up to `MOST_RARE` of its rows are sought in the whole
    table and stand in: a leak shows in how a feature ranks the label, which the share of a class does not change.

    Args:
        path: a parquet file or a folder of them, with at least one row.
        columns: which; those that are not there are left out.
        label: its column, or "" where there is none to learn from.
    """
    chosen = _evenly(_groups(path))
    total = sum(group.rows for group in chosen)
    spelled, parts = _spelled(path, columns), []
    for group in chosen:
        take = group.rows if total <= SAMPLED else group.rows * SAMPLED // total
        parts.append(_rows(group, spelled, np.linspace(0, group.rows - 1, take).astype(np.intp)))
    found = pa.concat_tables(parts, promote_options="permissive")
    return _with_both_classes(path, spelled, found, label) if label in found.column_names else found


def _groups(path: Path) -> list[_Group]:
    found = []
    for file in part_files(path):
        with pq.ParquetFile(file) as part:
            sizes = [part.metadata.row_group(i).num_rows for i in range(part.num_row_groups)]
        found += [_Group(file, i, rows) for i, rows in enumerate(sizes) if rows]
    return found


def _evenly(groups: list[_Group]) -> list[_Group]:
    """Return 16 row groups, or as many more as have the rows of a sample."""
    most = _GROUPS
    while True:
        places = np.unique(np.linspace(0, len(groups) - 1, min(most, len(groups))).astype(np.intp))
        chosen = [groups[i] for i in places.tolist()]
        if most >= len(groups) or sum(group.rows for group in chosen) >= SAMPLED:
            return chosen
        most *= 2


def _with_both_classes(path: Path, spelled: list[str], found: pa.Table, label: str) -> pa.Table:
    texts = as_texts(found[label])
    counts = texts.counts()
    common = int(np.argmax(counts))
    if found.num_rows - counts[common] >= LEAST_OF_A_CLASS:
        return found
    rare = _rare_rows(path, label, str(texts.distinct[common]))
    parts = [_rows(group, spelled, places) for group, places in rare]
    usual = found.filter(pa.array(texts.codes == common))
    return pa.concat_tables([usual, *parts], promote_options="permissive")


def _rare_rows(path: Path, label: str, common: str) -> list[tuple[_Group, NDArray[np.intp]]]:
    """Return the places of rows with another label than the common one, from the row groups that have most of them."""
    spelled = _spelled(path, [label])
    found: list[tuple[_Group, NDArray[np.intp]]] = []
    for group in _groups(path):
        texts = as_texts(_rows(group, spelled)[label])
        usual = np.flatnonzero(texts.distinct == common)
        places = np.flatnonzero(~np.isin(texts.codes, usual))
        if len(places):
            found.append((group, places))
    found.sort(key=lambda one: -len(one[1]))
    return [(group, places[: MOST_RARE // _GROUPS]) for group, places in found[:_GROUPS]]


def _rows(group: _Group, spelled: list[str], places: NDArray[Any] | None = None) -> pa.Table:
    with pq.ParquetFile(group.file) as part:
        rows = part.read_row_group(group.place, columns=spelled)
    return _bare(rows if places is None else rows.take(pa.array(places)))


def _spelled(path: Path, columns: Collection[str]) -> list[str]:
    """Return the names of columns as the files spell them."""
    return [name for name in parquet_schema(path)[0].names if name.strip() in columns]


def _bare(table: pa.Table) -> pa.Table:
    return table.rename_columns([name.strip() for name in table.column_names])
