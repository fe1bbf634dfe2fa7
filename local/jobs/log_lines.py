"""The lines of a log that grows."""

from collections.abc import Callable
from pathlib import Path


class LogLines:
    """Hands over whole lines as they are written.

    Args:
        path: the log; it may not be there yet.
        on_line: called with each line, without its end.
    """

    def __init__(self, path: Path, on_line: Callable[[str], None]) -> None:
        self._path, self._on_line = path, on_line
        self._read = 0
        self._rest = b""

    def follow(self, *, last: bool = False) -> None:
        """Hand over what has come since the last call; the last call hands over a line without an end, too."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            came = file.read()
        self._read += len(came)
        *lines, self._rest = (self._rest + came).split(b"\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._on_line(line.decode(errors="replace"))
