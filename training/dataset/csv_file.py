"""csv text: the delimiter is found, numbers are typed, text stays exactly as spelled."""

import csv
import io
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from ebb.errors import DataError
from training.dataset.csv_faults import explain, open_quote

_DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 1 << 18
_STREAMED_BYTES = 1 << 20


def read_csv(path: Path, text_columns: Collection[str] = ()) -> pa.Table:
    """Read a csv file in UTF-8, with or without a byte order mark; see `read_table`.

    Raises:
        DataError: a row has more or fewer cells than the header, bytes are no UTF-8, or names are given twice.
    """
    delimiter, names = read_head(path)
    if not _has_rows(path, delimiter):
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
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        raise explain(path, delimiter, str(error)) from None
    keep = set(text_columns)
    columns = [c if n.strip() in keep else typed(c) for n, c in zip(names, table.columns, strict=True)]
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
    if not _has_rows(path, delimiter):
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


def read_head(path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns as spelled.

    Raises:
        DataError: there is no header, or it names two columns alike.
    """
    delimiter = find_delimiter(path)
    names = _header(path, delimiter)
    twice = [name for name, count in Counter(name.strip() for name in names).items() if count > 1]
    if twice:
        raise DataError(f"{path} has more than one column named {twice[0]!r}: rename or remove one")
    return delimiter, names


def find_delimiter(path: Path) -> str:
    """Return the delimiter among comma, semicolon, tab and bar that splits the first rows most evenly.

    A delimiter is good when the rows agree on their number of cells; among those, more cells win.
    """
    lines = _sample(path)
    best, best_score = ",", (-1.0, 0)
    for delimiter in _DELIMITERS:
        widths = _widths(lines, delimiter)
        if not widths:
            continue
        header = widths[0]
        agreeing = widths.count(header) / len(widths) if header > 1 else 0.0
        if (agreeing, header) > best_score:
            best, best_score = delimiter, (agreeing, header)
    return best


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


def _widths(lines: list[str], delimiter: str) -> list[int]:
    """Count the cells of each row, as far as the rows can be split."""
    widths: list[int] = []
    try:
        widths.extend(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
    except csv.Error:
        return widths
    return widths


def _sample(path: Path) -> list[str]:
    with path.open("rb") as file:
        head = file.read(_SAMPLE_BYTES)
        whole = len(head) < _SAMPLE_BYTES
    lines = head.decode("utf-8-sig", "replace").splitlines(keepends=True)
    return lines if whole or len(lines) == 1 else lines[:-1]


def _has_rows(path: Path, delimiter: str) -> bool:
    """Tell whether anything follows the header; the reader takes a lone header for no table at all."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            return sum(1 for _ in islice((row for row in reader if row), 2)) > 1
        except csv.Error:
            return True


def _header(path: Path, delimiter: str) -> list[str]:
    with io.TextIOWrapper(path.open("rb"), "utf-8-sig", newline="") as file:
        try:
            for row in csv.reader(file, delimiter=delimiter):
                if row:
                    return row
        except (UnicodeDecodeError, csv.Error) as error:
            raise explain(path, delimiter, str(error)) from None
    raise DataError(f"{path} is empty: it needs a header line with column names and rows below it")
