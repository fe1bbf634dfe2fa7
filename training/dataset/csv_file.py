"""csv text: numbers are typed, text stays exactly as spelled."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from training.dataset.csv_faults import explain, open_quote
from training.dataset.csv_head import has_rows, read_head
from training.dataset.wanted import CODED, EVERYTHING, Wanted

_STREAMED_BYTES = 1 << 20


def read_csv(path: Path, wanted: Wanted = EVERYTHING) -> pa.Table:
    """Read a csv file in UTF-8, with or without a byte order mark; see `read_table`.

    Raises:
        DataError: a row has more or fewer cells than the header, bytes are no UTF-8, or names are given twice.
    """
    delimiter, names = read_head(path)
    names = [name for name in names if wanted.takes(name.strip())]
    if not has_rows(path, delimiter):
        return pa.table({name: pa.array([], pa.string()) for name in names})
    broken = open_quote(path, delimiter)
    if broken is not None:
        raise broken
    try:
        table = pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(block_size=8 << 20),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={n: CODED if n.strip() in wanted.coded else pa.string() for n in names},
                include_columns=names,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as error:
        raise explain(path, delimiter, str(error)) from None
    columns = table.columns
    del table  # each column's text is given up as soon as it is typed
    for i, name in enumerate(names):
        if name.strip() not in wanted.coded and name.strip() not in wanted.texts:
            columns[i] = typed(columns[i])
    return pa.table(columns, names=names)


def stream_csv(path: Path, columns: Collection[str], ragged: dict[int, str]) -> Iterator[pa.RecordBatch]:
    """Read some columns of a csv file in UTF-8 as texts exactly as spelled, a few thousand rows at a time.

    Args:
        path: the file.
        columns: names as the header spells them.
        ragged: takes each row (0-based) that has more or fewer cells than the header, with a sentence; in its place
            stands a row of nulls.

    Raises:
        DataError: bytes are no UTF-8; what came before them was yielded.
    """
    delimiter, _ = read_head(path)
    if not has_rows(path, delimiter):
        return
    found: deque[int] = deque()

    def handler(row: Any) -> str:
        place = int(row.number) - 2  # it counts from 1, the header too
        found.append(place)
        ragged[place] = f"has {row.actual_columns:,} cells, but the header has {row.expected_columns:,} columns"
        return "skip"

    try:
        with pa_csv.open_csv(
            path,
            read_options=pa_csv.ReadOptions(block_size=_STREAMED_BYTES, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=handler
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False, include_columns=[*columns]
            ),
        ) as reader:
            yield from with_gaps(reader, found, reader.schema)
    except pa.ArrowException as error:
        raise explain(path, delimiter, str(error)) from None


def with_gaps(batches: Iterable[pa.RecordBatch], gaps: deque[int], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Put a row of nulls wherever a row was left out.

    Args:
        batches: the rows that were not.
        gaps: 0-based places of those that were, in order; filled while `batches` is read, no later than what follows.
        schema: of the batches.
    """
    place = 0
    gap = pa.RecordBatch.from_arrays([pa.nulls(1, field.type) for field in schema], schema=schema)
    for batch in batches:
        rest = batch
        while gaps and gaps[0] < place + rest.num_rows:
            before = gaps.popleft() - place
            yield rest.slice(0, before)
            yield gap
            place, rest = place + before + 1, rest.slice(before)
        yield rest
        place += rest.num_rows
    for _ in gaps:
        yield gap


def typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Type a text column whose every filled cell is a number; another one is returned as it is."""
    filled = pc.if_else(pc.equal(column, ""), None, column)
    if filled.null_count == len(column):
        return column
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = filled.cast(kind)
        except pa.ArrowInvalid:
            continue
        # 02134 is a code, not a number; 0x1F would be read as one
        coded = pc.any(pc.match_substring_regex(filled, "^-?0[0-9xX]")).as_py()
        return column if coded else numbers
    return column
