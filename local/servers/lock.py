"""One owner at a time for a folder, freed by the kernel when the owner dies."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ebb.errors import Misuse, Unavailable


@dataclass(frozen=True)
class FolderLock:
    """A lock held on a folder, by flock(2) on its file `lock`, which also names the holder's pid."""

    descriptors: list[int]

    @classmethod
    def take(cls, folder: Path, what: str) -> Self:
        """Take the lock of a folder.

        Args:
            folder: exists.
            what: what the lock guards, for messages.

        Raises:
            Misuse: another holds it; the sentence names its pid.
            Unavailable: the folder cannot be written.
        """
        try:
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(f"The folder {folder} cannot be written ({error.strerror}); name another.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise Misuse(
                f"{what} in {folder} is already in the hands of process {holder or 'unknown'}; "
                "stop that one first (`ebb down`), or name another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls([descriptor])

    def release(self) -> None:
        """Give the lock back; nothing happens the second time."""
        while self.descriptors:
            os.close(self.descriptors.pop())
