"""A table that is too large to be held: its columns are known, its rows come batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from training.dataset.column_names import bare_names
from training.dataset.csv_faults import open_quote
from training.dataset.csv_file import stream_csv
from training.dataset.csv_head import read_head
from training.dataset.parquet_file import parquet_schema, stream_parquet
from training.dataset.read import holds_parquet, no_rows

Rows = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class Stream:
    """A csv or parquet table, or a folder of parquet.

    Attributes:
        path: where it lies.
        schema: its columns, named without surrounding blanks; those of csv are text.
        rows: how many there are; None while nobody has counted.
        ragged: rows (0-based) of a csv file that have more or fewer cells than its header, with a sentence; filled
            while batches are read, in which rows of nulls stand for them. The reader may remove what it has seen.
    """

    path: Path
    schema: pa.Schema
    rows: int | None
    _spelled: Sequence[str]
    _read: Callable[[Sequence[str], int, int], Rows]
    ragged: dict[int, str] = field(default_factory=dict)

    def batches(self, columns: Sequence[str], size: int, skip: int = 0) -> Iterator[pa.Table]:
        """Read some columns from beginning to end.

        Args:
            columns: their names, as in `schema`.
            size: rows of each batch; the last one has fewer.
            skip: rows at the beginning that are left out.

        Raises:
            DataError: the file is damaged or no csv; what came before was yielded.
        """
        columns = list(dict.fromkeys(columns))
        spelled = [self._spelled[self.schema.get_field_index(name)] for name in columns]
        schema = pa.schema([self.schema.field(name) for name in columns])
        self.ragged.clear()
        held: list[pa.RecordBatch] = []
        for part in self._read(spelled, size, skip):
            held.append(pa.RecordBatch.from_arrays([part[name] for name in spelled], columns))
            while sum(batch.num_rows for batch in held) >= size:
                whole = _joined(held, schema)
                yield whole.slice(0, size).combine_chunks()
                held = whole.slice(size).to_batches()
        if held:
            yield _joined(held, schema)


def open_stream(path: Path) -> Stream:
    """Look at a table without reading it into memory.

    Raises:
        DataError: there is no such file, or it is empty, damaged, no table, or names two columns alike.
    """
    if holds_parquet(path):
        schema, rows = parquet_schema(path)
        if rows == 0:
            raise no_rows(path)
        bare = pa.schema(
            [field.with_name(name) for field, name in zip(schema, bare_names(path, schema.names), strict=True)]
        )
        return Stream(
            path, bare, rows, schema.names, lambda columns, size, skip: stream_parquet(path, columns, size, skip)
        )
    delimiter, names = read_head(path)
    broken = open_quote(path, delimiter)
    if broken is not None:
        raise broken
    schema = pa.schema([(name, pa.string()) for name in bare_names(path, names)])
    ragged: dict[int, str] = {}

    def read(columns: Sequence[str], _size: int, skip: int) -> Rows:
        return _skipped(stream_csv(path, columns, ragged), skip)

    return Stream(path, schema, None, names, read, ragged)


def count_rows(stream: Stream, columns: Sequence[str]) -> int:
    """Count the rows; of a csv file the given columns are read once from beginning to end.

    Raises:
        DataError: a csv file is no UTF-8, or there is no row.
    """
    if stream.rows is not None:
        return stream.rows
    rows = 0
    for batch in stream.batches(columns, 1 << 14):
        rows += batch.num_rows
        stream.ragged.clear()
    if rows == 0:
        raise no_rows(stream.path)
    return rows


def _joined(parts: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Return the parts as one table with one chunk a column, each of the type that all files agree on."""
    return pa.Table.from_batches([part.cast(schema) for part in parts], schema).combine_chunks()


def _skipped(rows: Rows, skip: int) -> Rows:
    for batch in rows:
        seen = min(skip, batch.num_rows)
        skip -= seen
        if seen < batch.num_rows:
            yield batch.slice(seen)
