"""How far a load over HTTPS has come: a small file beside the refused rows, which goes when the load is done."""

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from ebb.errors import Misuse, Unavailable
from ebb.postgres.loads import Checkpoint
from ebb.synced import replaced

_NOTHING = Checkpoint(0, 0)


class Position:
    """The position of one load; used as a context, in which nobody else works on the same load here.

    Args:
        folder: of all loads.
        load: the load's id.

    Raises:
        Misuse: another process is at this load.
        Unavailable: the folder cannot be written.
    """

    def __init__(self, folder: Path, load: str) -> None:
        self._path, self._lock = folder / f"{load}.position.json", folder / f"{load}.lock"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(folder, error) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise Misuse("another process is loading the same table there: wait until it is done") from None

    def read(self) -> Checkpoint:
        """Return how far an earlier run has come; a file that says nothing is a beginning."""
        try:
            told = Checkpoint(**json.loads(self._path.read_text()))
        except (OSError, ValueError, TypeError):
            return _NOTHING
        return told if all(isinstance(each, int) and each >= 0 for each in asdict(told).values()) else _NOTHING

    def advance(self, checkpoint: Checkpoint) -> None:
        """Note how far it has come.

        Raises:
            Unavailable: the file cannot be written.
        """
        try:
            with replaced(self._path, 0o600) as partial:
                partial.write_text(json.dumps(asdict(checkpoint)))
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def finish(self) -> None:
        """Forget the position: the same again is a load from the beginning."""
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path} cannot be written ({error.strerror}): free the disk")
