"""What a path holds to be scored: one table, or the shards of one below a folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ebb.contract import Contract
from ebb.errors import DataError
from training.dataset.batch import check_columns, needed_columns
from training.dataset.column_names import bare_names
from training.dataset.parquet_file import parquet_schema, part_files
from training.dataset.read import holds_parquet, no_rows
from training.dataset.stream import open_stream


@dataclass(frozen=True)
class Shard:
    """One file to be scored.

    Attributes:
        path: where it lies.
        name: its path below the folder that was named; of a single file its name.
        rows: how many it holds; None for csv, which nobody has counted yet.
        state: its size in bytes and when it was changed, in nanoseconds: what tells a changed file.
    """

    path: Path
    name: str
    rows: int | None
    state: str


def find_shards(source: Path, contract: Contract) -> list[Shard]:
    """List the files that a path means, in the order of their rows; only the ends of parquet files are read.

    Raises:
        DataError: there is none, one cannot be read or lacks a column, they are not parts of one table, or they hold
            no row at all; names the file.
    """
    if not holds_parquet(source):
        check_columns(contract, open_stream(source).schema, str(source))
        return [Shard(source, source.name, None, state_of(source))]
    shards, kinds = [], []
    for path in part_files(source):
        schema, rows = parquet_schema(path)
        schema = pa.schema(
            [field.with_name(name) for field, name in zip(schema, bare_names(path, schema.names), strict=True)]
        )
        check_columns(contract, schema, str(path))
        kinds.append(schema)
        name = path.relative_to(source).as_posix() if source.is_dir() else path.name
        shards.append(Shard(path, name, rows, state_of(path)))
    _refuse_differing(shards, kinds, needed_columns(contract))
    if not any(shard.rows for shard in shards):
        raise no_rows(source)
    return shards


def state_of(path: Path) -> str:
    """Return what changes when a file does.

    Raises:
        DataError: it is gone.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    return f"{found.st_size} bytes, {found.st_mtime_ns}"


def group_bounds(path: Path) -> list[int]:
    """Return where the row groups of a parquet file begin, 0-based, and how many rows it has."""
    with pq.ParquetFile(path) as file:
        bounds = [0]
        for group in range(file.num_row_groups):
            bounds.append(bounds[-1] + file.metadata.row_group(group).num_rows)
    return bounds


def _refuse_differing(shards: Sequence[Shard], schemas: Sequence[pa.Schema], needed: Sequence[str]) -> None:
    """Refuse a shard that is no part of the first one's table."""
    first: dict[str, tuple[Shard, str]] = {}
    for shard, schema in zip(shards, schemas, strict=True):
        differing = set(schema.names) ^ set(schemas[0].names)
        if differing:
            raise DataError(
                f"{shard.path} and {shards[0].path} differ in the column {min(differing)!r}: "
                "a folder must hold parts of one table"
            )
        for column in needed:
            kind = _kind(schema.field(column).type)
            before, known = first.setdefault(column, (shard, kind)) if kind else (shard, kind)
            if kind != known:
                raise DataError(
                    f"{shard.path} and {before.path} differ in the column {column!r}: one holds {kind}, the other "
                    f"{known}; a folder must hold parts of one table"
                )


def _kind(kind: pa.DataType) -> str:
    """Say what a column holds, whatever its width or encoding; "" where it holds nothing."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return ""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "texts"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "numbers"
    return "times" if pa.types.is_temporal(kind) else str(kind)
