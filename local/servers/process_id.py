"""A process named so that a recycled pid is never mistaken for it (Linux)."""

import os
import select
import signal
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

_STATE, _START_TICKS = 0, 19
_DEAD = frozenset("ZXx")


class ProcessId(NamedTuple):
    """A pid and the kernel's start time of its process, in clock ticks since boot (proc(5), `stat` field 22)."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Name the living process that has this pid now; None when there is none (a zombie is none)."""
        fields = _stat(pid)
        return None if fields is None or fields[_STATE] in _DEAD else cls(pid, int(fields[_START_TICKS]))

    def alive(self) -> bool:
        """Say whether exactly this process still runs; one that waits to be reaped does not."""
        return ProcessId.of(self.pid) == self

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to exactly this process; False when it is gone.

        Raises:
            PermissionError: the process belongs to another user.
        """
        handle = self.open()
        if handle is None:
            return False
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True

    def wait_gone(self, seconds: float) -> bool:
        """Wait until this process has ended, at most so many seconds; say whether it has."""
        handle = self.open()
        if handle is None:
            return True
        try:
            select.select([handle], [], [], seconds)
        finally:
            os.close(handle)
        return not self.alive()

    def open(self) -> int | None:
        """Return a descriptor of this process, readable once it has ended (pidfd_open(2)); None when it is gone.

        The caller closes it.
        """
        if not self.alive():
            return None
        handle = None
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(self.pid)
        if handle is not None and not self.alive():
            os.close(handle)
            return None
        return handle


def living() -> list[int]:
    """Return the pids of all processes that can be seen."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()
