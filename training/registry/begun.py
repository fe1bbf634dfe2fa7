"""Runs that a command has begun and not ended yet: a file each, in `<releases>/<contract>/pending/`.

A run is marked before it is begun and forgotten once it is ended, all under the lock of the releases. Whoever holds the
lock and finds a mark knows that the process behind it is gone, whatever killed it, on this machine or another.
"""

import os
from contextlib import suppress
from pathlib import Path

from ebb.synced import write_synced

MARK = "ebb.begun"
"""The tag by which the registry finds the run of a mark."""
_PREFIX = "run-"


class Begun:
    """The marks of one contract; whoever uses them holds the lock of the releases.

    Args:
        folder: of what the registry has yet to be told.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mark(self) -> str:
        """Make a mark and return it; empty where the disk is full, which stops no training."""
        made = os.urandom(8).hex()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_synced(self._folder / f"{_PREFIX}{made}", b"")
        except OSError:
            self.forget(made)
            return ""
        return made

    def marks(self) -> list[str]:
        """Return all marks, sorted."""
        return sorted(path.name.removeprefix(_PREFIX) for path in self._folder.glob(f"{_PREFIX}*"))

    def forget(self, mark: str) -> None:
        """Remove a mark, and the folder with the last thing in it."""
        with suppress(OSError):
            (self._folder / f"{_PREFIX}{mark}").unlink(missing_ok=True)
        with suppress(OSError):
            self._folder.rmdir()
