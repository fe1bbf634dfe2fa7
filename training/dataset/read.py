"""A file, or a folder of files, as one table of columns."""

from pathlib import Path

import pyarrow as pa

from ebb.errors import DataError
from training.dataset.column_names import bare_names
from training.dataset.csv_file import read_csv
from training.dataset.csv_head import read_head
from training.dataset.parquet_file import is_parquet, parquet_schema, read_parquet
from training.dataset.wanted import EVERYTHING, Wanted

_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def read_table(path: Path, wanted: Wanted = EVERYTHING) -> pa.Table:
    """Read a csv file, a parquet file or a folder of parquet files.

    Column names lose surrounding blanks and nothing else. In csv, a column whose every filled cell is a number is
    typed (int64, else float64; numbers with leading zeros stay text); any other column is text exactly as spelled.

    Args:
        path: the file or folder.
        wanted: which columns, and how their texts are held.

    Raises:
        DataError: there is no such file, or it is empty, damaged, no table, or names two columns alike.
    """
    table = read_parquet(path, wanted) if holds_parquet(path) else read_csv(path, wanted)
    table = table.rename_columns(bare_names(path, table.column_names))
    if table.num_rows == 0:
        raise no_rows(path)
    return table


def read_names(path: Path) -> list[str]:
    """Return the names of a table's columns without reading its rows.

    Raises:
        DataError: see `read_table`.
    """
    names = parquet_schema(path)[0].names if holds_parquet(path) else read_head(path)[1]
    return bare_names(path, names)


def holds_parquet(path: Path) -> bool:
    """Tell a parquet file or a folder from csv text.

    Raises:
        DataError: it is neither, or there is no such file.
    """
    if path.is_dir() or (path.is_file() and is_parquet(path)):
        return True
    _readable(path)
    return False


def no_rows(path: Path) -> DataError:
    """Make the error about a table without rows."""
    return DataError(f"{path} has column names but no rows: add data below its header")


def _readable(path: Path) -> None:
    """Refuse what is no csv text at all, with what it is instead."""
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}: check the path") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        raise DataError(f"{path} is empty: it needs a header line with column names and rows below it")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise DataError(f"{path} is {what}, but a csv (UTF-8) or parquet file is needed: save it as one of these")
    if b"\0" in head:
        raise DataError(f"{path} is neither csv nor parquet (it holds zero bytes): save it as csv in UTF-8, or parquet")
