"""Where scored tables go: a folder to work in that one run holds, and shards that an earlier run has finished."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ebb.errors import Conflict, DataError, Misuse
from training.batch.scored import Totals

CSV, PARQUET = ".csv", ".parquet"


def check_target(source: Path, out: Path, key: str) -> None:
    """Refuse a place where the scored table cannot go.

    Raises:
        Misuse: a folder is to be scored into a file, or a file into a folder or one of another ending; or the key
            column is named as one of the scored table.
        DataError: there is no folder to write to.
    """
    if key in {"probability", "decision", "release"}:
        raise Misuse(f"the key column is named {key!r}, as a column of the scored table is: rename it")
    if source.is_dir():
        if out.suffix in {CSV, PARQUET} or out.is_file():
            raise Misuse(f"--out {out}: a folder of shards is scored into a folder")
        here, there = source.resolve(), out.resolve()
        if here == there or here in there.parents or there in here.parents:
            raise Misuse(f"--out {out}: must lie outside of {source}, and not around it")
    elif out.suffix not in {CSV, PARQUET}:
        raise Misuse(f"--out {out}: must end in .csv or .parquet")
    elif out.is_dir():
        raise Misuse(f"--out {out} is a folder: a single table is scored into a file")
    if not out.parent.is_dir():
        raise DataError(f"{out} could not be written: there is no folder {out.parent}")


@contextmanager
def work_folder(out: Path, *, several: bool) -> Iterator[Path]:
    """Lend an empty folder beside the target, and remove it; what a killed run left in it is removed too.

    Args:
        out: the target.
        several: whether it is a folder itself; then the folder lies in it.

    Raises:
        Conflict: another run is writing there.
        DataError: it cannot be made.
    """
    folder = out / ".scoring" if several else out.parent / f".scoring-{out.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise DataError(f"{out} could not be written: {error.strerror}") from None
    try:
        _lock(descriptor, out)
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def finished(target: Path, facts: Mapping[str, str]) -> tuple[Totals, int] | None:
    """Return what a scored shard says of itself, and how many rows were refused; None where it is not of these facts.

    Its footer was written last, so that a shard that can be read is whole.
    """
    if not target.is_file():
        return None
    try:
        with pq.ParquetFile(target) as file:
            kept = {key.decode(): value.decode() for key, value in (file.metadata.metadata or {}).items()}
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return None
    if any(kept.get(name) != value for name, value in facts.items()):
        return None
    try:
        totals = Totals(int(kept["ebb.rows"]), int(kept["ebb.acted_on"]), float(kept["ebb.probability"]))
        return (totals, int(kept["ebb.refused"])) if totals.rows == rows else None
    except (KeyError, ValueError):
        return None


def _lock(descriptor: int, out: Path) -> None:
    """Hold the folder; the system frees it when its holder dies."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(f"another run is scoring into {out}: wait for it, or name another --out") from None
