"""An in-memory sink of prediction events that keeps the promises of the real ones (the contract suite runs on all)."""

from collections.abc import Sequence

from ebb.errors import Unavailable


class MemoryEvents:
    """An `EventSink` in a list; `takes` is how many more lines it takes before it refuses, None for any number."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.takes: int | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        taken = len(lines) if self.takes is None else min(self.takes, len(lines))
        self.lines += lines[:taken]
        if self.takes is not None:
            self.takes -= taken
        if taken < len(lines):
            raise Unavailable("this sink takes no more lines")

    @property
    def log(self) -> bytes:
        """Return the lines as a log would hold them."""
        return b"".join(line + b"\n" for line in self.lines)
