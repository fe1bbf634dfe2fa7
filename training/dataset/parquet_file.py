"""Parquet: one file, or a folder of files with the same columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ebb.errors import DataError

_MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Tell whether a file says that it is parquet, by its name or its first bytes."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read_parquet(path: Path) -> pa.Table:
    """Read a parquet file, or all parquet files below a folder in the order of their paths.

    Raises:
        DataError: a file is damaged or cannot be read, the folder holds none, or its files differ in columns.
    """
    if not path.is_dir():
        return _read(path)
    files = sorted(f for f in path.rglob("*.parquet") if not f.name.startswith((".", "_")))
    if not files:
        raise DataError(f"the folder {path} holds no .parquet file: name a csv or parquet file, or a folder of parquet")
    tables = [_read(file) for file in files]
    for file, table in zip(files, tables, strict=True):
        differing = set(table.column_names) ^ set(tables[0].column_names)
        if differing:
            raise DataError(
                f"{file} and {files[0]} differ in the column {min(differing)!r}: a folder must hold parts of one table"
            )
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"the files in {path} do not fit together: {_first_line(error)}") from None


def _read(path: Path) -> pa.Table:
    try:
        size = path.stat().st_size
        if size == 0:
            raise DataError(f"{path} is empty: it should be a parquet file")
        return pq.ParquetFile(path).read()
    except pa.ArrowException as error:
        raise DataError(
            f"{path} is no whole parquet file ({size:,} bytes; cut off or damaged: {_first_line(error)}): "
            "copy or write it again"
        ) from None
    except OSError as error:
        reason = error.strerror or _first_line(error)
        raise DataError(f"{path} cannot be read as parquet: {reason}: copy or write it again") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
