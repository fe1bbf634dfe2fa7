"""Files that are on the disk when a function returns, and not only in the system's memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_synced(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file and wait until the disk holds it.

    Args:
        path: the file.
        content: all of it.
        mode: permissions of a file that is new, as far as the system's mask allows them.

    Raises:
        OSError: it cannot be written whole.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replaced(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Lend an empty file beside `path`; what was written there by the end takes its place: whole, or not at all.

    Args:
        path: the file to make or to replace.
        mode: see `write_synced`.

    Raises:
        OSError: it cannot be written; what was there before still stands.
    """
    partial = path.with_name(f".partial-{os.urandom(8).hex()}")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        with suppress(OSError):  # the error that came before matters more
            partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until the disk holds a file as it was written, or a folder's entries as they were named.

    Raises:
        OSError: the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
