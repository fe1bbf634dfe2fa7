"""Naming a champion: the file that serving reads and the alias in the registry move together."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebb.errors import ReleaseError
from ebb.folder import FolderReleases
from training.registry.ledger import Ledger
from training.uninterrupted import uninterrupted

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
