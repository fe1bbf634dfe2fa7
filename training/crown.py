"""Naming a champion: the file that serving reads and the alias in the registry move together."""

import fcntl
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ebb.errors import ReleaseError
from ebb.folder import FolderReleases
from training.registry.ledger import Ledger

_LOCK = ".lock"


@contextmanager
def one_at_a_time(releases: Path) -> Iterator[None]:
    """Hold the releases' lock, so that of two trainings at once one registers after the other.

    Raises:
        ReleaseError: the folder cannot be made or locked.
    """
    try:
        releases.mkdir(parents=True, exist_ok=True)
        file = (releases / _LOCK).open("w")
    except OSError as error:
        raise ReleaseError(f"releases cannot be written to {releases}: {error.strerror}") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done; in another thread than the main one there is none to wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def remember(_signal: int, _frame: FrameType | None) -> None:
        nonlocal waiting
        waiting = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        raise KeyboardInterrupt


def crown(store: FolderReleases, ledger: Ledger, contract: str, version: str) -> None:
    """Name the champion: file first, then aliases, in one step that Ctrl-C waits for.

    That the aliases have to follow is noted first, so that the next call makes up for a kill in between. Whoever calls
    holds the lock of the releases.

    Raises:
        ReleaseError: the champion cannot be named; nothing has moved.
    """
    with uninterrupted():
        if ledger.used:
            ledger.pending.expect_aliases()
        store.set_champion(contract, version)
        if ledger.used:
            ledger.follow()
