"""The head of a csv file: its delimiter, the names of its columns, and whether rows follow."""

import csv
import io
from itertools import islice
from pathlib import Path

from ebb.errors import DataError
from training.dataset.column_names import bare_names
from training.dataset.csv_faults import explain

_DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 1 << 18


def read_head(path: Path) -> tuple[str, list[str]]:
    """Return the delimiter and the names of the columns as spelled.

    Raises:
        DataError: there is no header, or it names two columns alike.
    """
    delimiter = find_delimiter(path)
    names = _header(path, delimiter)
    bare_names(path, names)
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


def has_rows(path: Path, delimiter: str) -> bool:
    """Tell whether anything follows the header; the reader takes a lone header for no table at all."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            return sum(1 for _ in islice((row for row in reader if row), 2)) > 1
        except csv.Error:
            return True


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
    # str.splitlines would also break lines at U+2028 and the like, which csv does not
    lines = list(io.StringIO(head.decode("utf-8-sig", "replace"), newline=""))
    return lines if whole or len(lines) == 1 else lines[:-1]


def _header(path: Path, delimiter: str) -> list[str]:
    with io.TextIOWrapper(path.open("rb"), "utf-8-sig", newline="") as file:
        try:
            for row in csv.reader(file, delimiter=delimiter):
                if row:
                    return row
        except (UnicodeDecodeError, csv.Error) as error:
            raise explain(path, delimiter, str(error)) from None
    raise DataError(f"{path} is empty: it needs a header line with column names and rows below it")
