"""One name for the load of one table by one contract: the same again after a kill, another when a file changed."""

from hashlib import sha256
from pathlib import Path

from ebb.errors import DataError
from training.dataset.parquet_file import part_files

_DIGITS = 16


def load_id(data: Path, contract: bytes) -> str:
    """Return 16 hex digits over names, sizes and modification times of the table's files and the contract's text.

    Raises:
        DataError: there is no such file.
    """
    told = sha256(sha256(contract).digest())
    for path in part_files(data):
        status = _status(path)
        told.update(f"{path.relative_to(data.parent)}\0{status[0]}\0{status[1]}\0".encode())
    return told.hexdigest()[:_DIGITS]


def written_at(data: Path) -> float:
    """Return when the table was last written, epoch seconds.

    Raises:
        DataError: there is no such file.
    """
    return max(_status(path)[1] for path in part_files(data)) / 1e9


def _status(path: Path) -> tuple[int, int]:
    """Return size in bytes and time of modification in nanoseconds."""
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}: check the path") from None
    return status.st_size, status.st_mtime_ns
