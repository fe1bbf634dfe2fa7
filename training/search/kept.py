"""The folder that keeps a search for a later call: who holds it, what lies in it, and what its disk refuses."""

import fcntl
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ebb.errors import DataError

_DATABASE, _LOCK = "search.db", "lock"
_PARTIAL = ".partial.npy"


@contextmanager
def kept(folder: Path | None) -> Iterator[None]:
    """Hold the folder alone, and turn what its storage raises on the way into a sentence.

    The lock is the system's: it ends with this process, however that ends.

    Args:
        folder: keeps the study; None where nothing is kept, and so nothing of this kind can fail.

    Raises:
        DataError: another command holds the folder, or it cannot keep the search any longer; what it keeps stays.
    """
    if folder is None:
        yield
        return
    with _locked(folder):
        try:
            yield
        except (StorageInternalError, SQLAlchemyError, sqlite3.Error) as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise DataError(_full(folder, reason)) from None


def storage(folder: Path) -> Any:
    """Return optuna's storage in one sqlite file of the folder.

    Raises:
        DataError: the folder cannot be used, or the file is none.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(folder / _DATABASE)) as probe:
            probe.execute("SELECT count(*) FROM sqlite_master")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SQLAlchemy's and alembic's about each other
            address = f"sqlite:///{folder.absolute() / _DATABASE}"
            return optuna.storages.RDBStorage(address, engine_kwargs={"poolclass": NullPool})
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
        raise DataError(_unfit(folder, str(reason))) from None


def clear_partial(folder: Path) -> None:
    """Remove what a killed search has left half-written."""
    for left in folder.glob(f"*{_PARTIAL}"):
        left.unlink(missing_ok=True)


def write_raw(folder: Path, number: int, raw: NDArray[np.float64]) -> None:
    """Keep a trial's log-odds [N], whole or not at all.

    Raises:
        DataError: they cannot be written.
    """
    path = folder / f"raw-{number}.npy"
    partial = path.with_suffix(_PARTIAL)
    try:
        np.save(partial, raw)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        reason = error.strerror or "there is no room for it"  # numpy counts bytes instead
        raise DataError(_full(folder, reason)) from None


def read_raw(folder: Path, number: int) -> NDArray[np.float64]:
    """Return a trial's log-odds [N]; [0] where they are lost."""
    try:
        raw: NDArray[np.float64] = np.load(folder / f"raw-{number}.npy")
    except (OSError, ValueError, EOFError):
        return np.empty(0)
    return raw


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("a+")
    except OSError as error:
        raise DataError(_unfit(folder, str(error.strerror))) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"{folder} is in use by another training{_holder(file)}: wait until it has ended, or give --resume "
                "another folder"
            ) from None
        except OSError:  # a file system without locks
            yield
            return
        with suppress(OSError):  # a full disk: only the name is missing then
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
        yield


def _holder(file: IO[str]) -> str:
    with suppress(OSError, ValueError):
        file.seek(0)
        return f" (process {int(file.read())})"
    return ""


def _unfit(folder: Path, reason: str) -> str:
    return f"{folder} cannot keep a search: {reason}; give another folder, or remove this one"


def _full(folder: Path, reason: str) -> str:
    return f"{folder} cannot keep the search any longer: {reason}; make room, then the same command goes on from there"
