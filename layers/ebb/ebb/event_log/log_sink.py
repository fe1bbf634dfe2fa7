"""Prediction events as lines on standard output: Lambda keeps them in CloudWatch, the local cloud in the log file."""

import os
import select
import time
from collections.abc import Iterable, Iterator, Sequence

from ebb.errors import Unavailable

_PATIENCE = 1.0

_PORTION = 65_536
"""Bytes of a write, where no line is longer: more would be memory fresh from the system: dearer than writes."""


class LogSink:
    """An `EventSink` over a file descriptor; one caller at a time.

    Whole lines go in each write: to a file opened for appending such a write is whole even where several processes
    share it. Only if the system takes a part is the rest written after it.

    Args:
        descriptor: where to; standard output by default.
        patience: seconds that a descriptor which does not block may be full.
    """

    def __init__(self, descriptor: int = 1, patience: float = _PATIENCE) -> None:
        self._descriptor, self._patience = descriptor, patience
        self._torn = False

    def write(self, lines: Sequence[bytes]) -> None:
        """Write each line with its newline.

        Raises:
            Unavailable: the descriptor is full, closed or has no reader; a part of the lines may have been written.
        """
        if not lines:
            return
        start = b"\n" if self._torn else b""
        self._torn = True  # until all of it is written, whatever comes in between
        try:
            for some in _portions(lines):
                self._write_all(start + b"\n".join((*some, b"")))
                start = b""
        except OSError as error:
            raise Unavailable(
                f"prediction events cannot be written to the log ({error.strerror}), so no answer may leave: "
                "make room or restart the environment, then ask again"
            ) from None
        self._torn = False

    def _write_all(self, text: bytes) -> None:
        written = self._write(text)
        while written < len(text):
            written += self._write(memoryview(text)[written:])

    def _write(self, text: bytes | memoryview) -> int:
        """Write a part; EINTR is the interpreter's matter (PEP 475)."""
        try:
            return os.write(self._descriptor, text)
        except BlockingIOError:
            return self._write_later(text, time.monotonic() + self._patience)

    def _write_later(self, text: bytes | memoryview, until: float) -> int:
        """Wait for a reader to make room."""
        room = select.poll()
        room.register(self._descriptor, select.POLLOUT)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise BlockingIOError(None, "its reader does not keep up")
            room.poll(left * 1000)
            try:
                return os.write(self._descriptor, text)
            except BlockingIOError:
                continue


def _portions(lines: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (lines,) if len(lines) == 1 else _cut(lines)


def _cut(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    some, size = list[bytes](), 0
    for line in lines:
        if some and size + len(line) > _PORTION:
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line)
    yield some
