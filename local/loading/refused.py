"""The refused rows of a bulk load as a csv file: row, entity_id, feature, reason, and never a value.

The files of all loads lie in one folder, which a lock guards: a load appends, an erasure rewrites. A file that was
asked for elsewhere has a link there, so that an erasure finds it.
"""

import csv
import fcntl
import io
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from ebb.errors import Misuse, Unavailable
from ebb.synced import replaced, write_synced

SUFFIX = ".refused.csv"
_HEAD = ("row", "entity_id", "feature", "reason")

Line = tuple[int, str, str, str]
"""1-based row of the table, entity, feature or column, reason."""


class RefusedFile:
    """The refused rows of one load.

    Args:
        folder: where the files of all loads lie; made with the first refused row.
        load: the load's id.
        elsewhere: the file to write instead.
    """

    def __init__(self, folder: Path, load: str, elsewhere: Path | None = None) -> None:
        self._folder, self._load = folder, load
        self.path = folder / f"{load}{SUFFIX}" if elsewhere is None else elsewhere.absolute()
        named = sha256(str(self.path).encode()).hexdigest()[:8]
        self._link = None if elsewhere is None else folder / f"{load}-{named}{SUFFIX}"

    def begin(self, rows_done: int) -> None:
        """Keep the lines of the first `rows_done` rows, and nothing else; 0 removes the file.

        Where an earlier run of the same load wrote elsewhere, its lines are taken over.

        Raises:
            Misuse: the file is there, and no file of refused rows.
            Unavailable: the file cannot be written.
        """
        with _locked(self._folder), _told(self.path):
            _refuse_foreign(self.path)
            if rows_done == 0:
                self.path.unlink(missing_ok=True)
                return
            earlier = [path for path in sorted(self._folder.glob(f"{self._load}*{SUFFIX}")) if path.is_file()]
            if earlier and not self.path.exists():
                self._make_link()
                write_synced(self.path, earlier[0].read_bytes(), 0o600)
            if self.path.exists():
                _rewrite(self.path, lambda line: int(line[0]) <= rows_done)

    def add(self, lines: Iterable[Line]) -> None:
        """Append lines, and wait until the disk holds them.

        Raises:
            Unavailable: the file cannot be written.
        """
        text = _csv(lines)
        if not text:
            return
        with _locked(self._folder), _told(self.path):
            self._make_link()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write((b"" if os.fstat(descriptor).st_size else _csv([_HEAD])) + text)
                file.flush()
                os.fsync(file.fileno())

    def _make_link(self) -> None:
        if self._link is not None and not self._link.is_symlink():
            self._link.symlink_to(self.path)


def written_since(folder: Path, moment: float) -> list[Path]:
    """Return the files that were written after a moment (epoch seconds), whether or not in the folder itself."""
    files = [entry.resolve() for entry in sorted(folder.glob(f"*{SUFFIX}"))]
    return [path for path in files if path.is_file() and path.stat().st_mtime >= moment]


def scrub(folder: Path, entity_ids: Collection[str]) -> int:
    """Remove the lines of erased subjects from the files of all loads, and return how many there were.

    Raises:
        Unavailable: a file cannot be written; it is as it was, and the erasure has to be repeated.
    """
    erased = frozenset(entity_ids)
    if not folder.is_dir() or not erased:
        return 0
    removed = 0
    with _locked(folder):
        for entry in sorted(folder.glob(f"*{SUFFIX}")):
            path = entry.resolve()
            if path.is_file():
                with _told(path):
                    removed += _rewrite(path, lambda line: line[1] not in erased)
    return removed


def _refuse_foreign(path: Path) -> None:
    head = _csv([_HEAD])
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(head)) not in {head, b""}:
                raise Misuse(f"{path} is there already, and holds no refused rows: name another file with --refused")


def _rewrite(path: Path, kept: Callable[[list[str]], bool]) -> int:
    """Keep some lines of a file, whole or not at all; return how many left it."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    # A killed load may have torn its last line; that batch did not count, and comes again.
    staying = [line for line in lines if len(line) == len(_HEAD) and kept(line)]
    if len(staying) == len(lines):
        return 0
    with replaced(path, 0o600) as partial:
        partial.write_bytes(_csv([_HEAD, *staying]))
    return len(lines) - len(staying)


def _csv(lines: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system frees it when its holder dies."""
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{path} cannot be written ({error.strerror}); free the disk or name another file") from None
