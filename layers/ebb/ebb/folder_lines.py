"""Files of lines that say who stands how to whom: `<contract>/previous` and `<contract>/cheap`.

Their lines read `<one> before <champion>` and `<one> beside <champion>`. Only the line of the champion that is named
counts, so a change of champion is one rename: whatever these files say of others means nothing until then.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ebb.errors import ReleaseError
from ebb.synced import replaced

_LINE = re.compile(r"([0-9a-f]{12}) (before|beside) ([0-9a-f]{12})")


@dataclass(frozen=True)
class Lines:
    """One such file.

    Attributes:
        path: of the file.
        word: between the two versions of a line.
        what: the file names, for people.
    """

    path: Path
    word: str
    what: str

    def read(self) -> dict[str, str]:
        """Return who stands so to whom, by champion; empty where there is no file.

        Raises:
            ReleaseError: it cannot be read, or holds something else.
        """
        try:
            lines = self.path.read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise ReleaseError(f"{self.what} cannot be read ({type(error).__name__}): {self.path}") from None
        found: dict[str, str] = {}
        for line in filter(None, map(str.strip, lines)):
            known = _LINE.fullmatch(line)
            if known is None or known[2] != self.word:
                raise ReleaseError(
                    f"{self.path} does not name releases (`VERSION {self.word} VERSION`): remove it, or name them anew "
                    "by training or `ebb promote`"
                )
            found.setdefault(known[3], known[1])
        return found

    def known(self) -> dict[str, str]:
        """Return what `read` does; nothing where the file is damaged: it is about to be replaced."""
        try:
            return self.read()
        except ReleaseError:
            return {}

    def write(self, found: Mapping[str, str]) -> None:
        """Replace the file by one rename.

        Raises:
            OSError: it cannot be written; the old one stands.
        """
        with replaced(self.path) as partial:
            partial.write_text("".join(f"{one} {self.word} {champion}\n" for champion, one in found.items()))


def previous_lines(folder: Path) -> Lines:
    """Return the file that remembers who was champion before whom, of a contract's folder."""
    return Lines(folder / "previous", "before", f"the previous champion of {folder.name}")


def cheap_lines(folder: Path) -> Lines:
    """Return the file that names the cheap release beside each champion, of a contract's folder."""
    return Lines(folder / "cheap", "beside", f"the cheap release of {folder.name}")


def remember(folder: Path, champion: str | None, coming: str) -> None:
    """Write down that `champion` will have been the one before `coming`, and keep who was before `champion`.

    A file that was damaged is replaced.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    if champion is None or champion == coming:
        return
    lines = previous_lines(folder)
    before = lines.known().get(champion)
    lines.write({coming: champion, **({champion: before} if before else {})})


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a contract's folder, so that of two who name a release at once one does so after the other.

    Raises:
        OSError: there is no such folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
