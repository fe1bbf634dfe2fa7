"""Parquet: one file, or a folder of files with the same columns."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ebb.errors import DataError
from training.dataset.wanted import EVERYTHING, Wanted

_MAGIC = b"PAR1"
_BUFFER_BYTES = 1 << 16


def is_parquet(path: Path) -> bool:
    """Tell whether a file says that it is parquet, by its name or its first bytes."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read_parquet(path: Path, wanted: Wanted = EVERYTHING) -> pa.Table:
    """Read a parquet file, or all parquet files below a folder in the order of their paths; see `read_table`.

    Raises:
        DataError: a file is damaged or cannot be read, the folder holds none, or its files differ in columns.
    """
    if not path.is_dir():
        return _read(path, wanted)
    files = part_files(path)
    parquet_schema(path)
    tables = [_read(file, wanted) for file in files]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise _unfit(path, error) from None


def part_files(path: Path) -> list[Path]:
    """Return the parquet files that a path means, in the order of their rows.

    Raises:
        DataError: it is a folder that holds none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.rglob("*.parquet") if not f.name.startswith((".", "_")))
    if not files:
        raise DataError(f"the folder {path} holds no .parquet file: name a csv or parquet file, or a folder of parquet")
    return files


def parquet_schema(path: Path) -> tuple[pa.Schema, int]:
    """Return the columns that `read_parquet` would give, and how many rows; only the ends of the files are read.

    Raises:
        DataError: see `read_parquet`.
    """
    files = part_files(path)
    schemas, rows = [], 0
    for file in files:
        with _damage_named(file), pq.ParquetFile(file) as part:
            schemas.append(part.schema_arrow.remove_metadata())
            rows += part.metadata.num_rows
    _refuse_differing(files, schemas)
    try:
        return pa.unify_schemas(schemas, promote_options="permissive"), rows
    except pa.ArrowException as error:
        raise _unfit(path, error) from None


def stream_parquet(path: Path, columns: Collection[str], size: int, skip: int) -> Iterator[pa.RecordBatch]:
    """Read some columns of what `read_parquet` reads, `size` rows or fewer at a time.

    Args:
        path: the file or folder.
        columns: their names as the files spell them.
        size: the most rows of a batch.
        skip: rows at the beginning that the caller has seen; row groups wholly before are not read.

    Raises:
        DataError: a file is damaged; what came before was yielded.
    """
    for file in part_files(path):
        # Reading ahead would hold every row group until the file is closed.
        with _damage_named(file), pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False) as part:
            groups = [part.metadata.row_group(i).num_rows for i in range(part.num_row_groups)]
            first = 0
            while first < len(groups) and skip >= groups[first]:
                skip -= groups[first]
                first += 1
            for batch in part.iter_batches(
                size, row_groups=list(range(first, len(groups))), columns=[*columns], use_threads=False
            ):
                seen = min(skip, batch.num_rows)
                skip -= seen
                yield batch.slice(seen)


def _refuse_differing(files: Sequence[Path], schemas: Sequence[pa.Schema]) -> None:
    for file, schema in zip(files, schemas, strict=True):
        differing = set(schema.names) ^ set(schemas[0].names)
        if differing:
            raise DataError(
                f"{file} and {files[0]} differ in the column {min(differing)!r}: a folder must hold parts of one table"
            )


def _read(path: Path, wanted: Wanted) -> pa.Table:
    with _damage_named(path), pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if wanted.takes(name.strip())]
    coded = [name for name in names if name.strip() in wanted.coded]
    with _damage_named(path), pq.ParquetFile(path, read_dictionary=coded) as file:
        return file.read(names)


def _unfit(path: Path, error: Exception) -> DataError:
    return DataError(f"the files in {path} do not fit together: {_first_line(error)}")


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Say what is wrong with a file that cannot be read whole."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise DataError(f"{path} is empty: it should be a parquet file")
        yield
    except (pa.ArrowException, UnicodeDecodeError) as error:  # the latter for a damaged name of a column
        raise DataError(
            f"{path} is no whole parquet file ({size:,} bytes; cut off or damaged: {_first_line(error)}): "
            "copy or write it again"
        ) from None
    except OSError as error:
        reason = error.strerror or _first_line(error)
        raise DataError(f"{path} cannot be read as parquet: {reason}: copy or write it again") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
