"""The file that remembers the champion before: `<contract>/previous`, beside the file `champion`.

Its lines read `<previous> before <champion>`. Only the line of the champion that is named counts, so a promotion is
one rename: the line of the new champion is written first and means nothing until the file `champion` names it.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebb.errors import ReleaseError
from ebb.synced import replaced

PREVIOUS = "previous"
_LINE = re.compile(r"([0-9a-f]{12}) before ([0-9a-f]{12})")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a contract's folder, so that of two who name a champion at once one does so after the other.

    Raises:
        OSError: there is no such folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def previous_of(folder: Path, champion: str | None) -> str | None:
    """Return the champion before this one; None where there was none, or nobody wrote it down.

    Raises:
        ReleaseError: the file cannot be read, or holds something else.
    """
    path = folder / PREVIOUS
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        what = f"the previous champion of {folder.name}"
        raise ReleaseError(f"{what} cannot be read ({type(error).__name__}): {path}") from None
    known = [_LINE.fullmatch(line.strip()) for line in lines]
    if not all(known):
        raise ReleaseError(
            f"{path} does not name champions (`VERSION before VERSION`): remove it, or promote a release"
        )
    return next((match[1] for match in known if match and match[2] == champion), None)


def remember(folder: Path, champion: str | None, coming: str) -> None:
    """Write down that `champion` will have been the one before `coming`, and keep who was before `champion`.

    A file that was damaged is replaced.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    if champion is None or champion == coming:
        return
    try:
        before = previous_of(folder, champion)
    except ReleaseError:
        before = None
    lines = [f"{champion} before {coming}\n", *([f"{before} before {champion}\n"] if before else [])]
    with replaced(folder / PREVIOUS) as partial:
        partial.write_text("".join(lines))
