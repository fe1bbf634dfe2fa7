"""The folder on disk that a search shares with its workers, and what remains of one whose owner was killed."""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX, _UNBORN = "ebb-search-", "ebb-new-search-"


class Workplace:
    """A folder that this process holds a lock on for as long as it lives.

    It carries its name only once it is locked: whoever finds the name without a lock knows that the owner is dead.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self) -> None:
        made = Path(tempfile.mkdtemp(prefix=_UNBORN))
        try:
            self._held = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            made.rmdir()
            raise
        with suppress(OSError):  # a file system without locks: nobody can lock what is not held, either
            fcntl.flock(self._held, fcntl.LOCK_EX)
        self.folder = made.rename(made.with_name(_PREFIX + made.name.removeprefix(_UNBORN)))

    def close(self) -> None:
        """Remove the folder with all it holds."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


def clear_abandoned() -> None:
    """Remove what killed searches of this user have left in the folder for temporary files."""
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):
                _clear(folder)


def _clear(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(held).st_uid != os.geteuid():
            return
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(held)
