"""Where a csv file is broken: a slow second look, taken only when reading it failed."""

import csv
import re
from pathlib import Path

from ebb.errors import DataError

_BLOCK_BYTES = 1 << 22


def explain(path: Path, delimiter: str, otherwise: str) -> DataError:
    """Make the error that names the line, and the column where possible.

    Args:
        path: the csv file.
        delimiter: what separates its cells.
        otherwise: the reader's own words, for what this look does not find; never shown with cell contents.
    """
    return _no_utf8(path, delimiter) or _ragged(path, delimiter) or _unread(path, otherwise)


def open_quote(path: Path, delimiter: str) -> DataError | None:
    """Make the error about a quote that is opened and never closed; None where there is none.

    The reader would take all that follows for one cell, and rows would be lost without a word. Whole quotes come in
    pairs, so that only a file with an odd number of them is looked at row by row.
    """
    with path.open("rb") as file:
        quotes = sum(block.count(b'"') for block in iter(lambda: file.read(_BLOCK_BYTES), b""))
    if quotes % 2 == 0:
        return None
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        last = 0
        try:
            for _ in reader:
                last = reader.line_num
        except csv.Error:
            return DataError(
                f"{path}, line {last + 1}: a quote that is opened here is never closed, or text follows a closed one; "
                "correct it, or double quotes that belong to the text"
            )
    return None


def _no_utf8(path: Path, delimiter: str) -> DataError | None:
    names: list[str] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                before = _cells(line[: error.start].decode("utf-8-sig"), delimiter)
                position = max(len(before) - 1, 0)
                column = f", column {names[position].strip()!r}" if position < len(names) else ""
                return DataError(
                    f"{path} is not UTF-8: line {number}{column} holds the byte 0x{line[error.start]:02x}; "
                    "save it again as UTF-8"
                )
            if not names:
                names = _cells(text.rstrip("\r\n"), delimiter)
    return None


def _ragged(path: Path, delimiter: str) -> DataError | None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            width = 0
            for row in reader:
                width = width or len(row)
                if row and len(row) != width:
                    return DataError(
                        f"{path}, line {reader.line_num}: this row has {len(row)} cells, but the header has {width} "
                        "columns; check quotes and delimiters there"
                    )
        except csv.Error as error:
            return DataError(f"{path}, line {reader.line_num}: {error}; check the quotes there")
    return None


def _unread(path: Path, otherwise: str) -> DataError:
    found = re.search(r"Expected \d+ columns, got \d+", otherwise)
    reason = f"{found[0][0].lower()}{found[0][1:]} in some row" if found else "its quotes or delimiters do not add up"
    return DataError(f"{path} cannot be read as csv: {reason}; check its quotes, or save it as parquet")


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
