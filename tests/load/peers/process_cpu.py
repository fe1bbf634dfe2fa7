"""What whole trees of processes spend and hold, read from `/proc` (proc_pid_stat(5))."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES = 1, slice(11, 15)
"""Fields after the process's name: its parent; then user, system, and both of the children it has waited for."""


def tree(roots: Iterable[int]) -> frozenset[int]:
    """Return these processes and all that descend from them, as far as they are alive."""
    children: dict[int, list[int]] = {}
    alive = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _fields(int(entry.name))):
            alive.add(int(entry.name))
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [root for root in roots if root in alive]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return frozenset(found)


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return the seconds that these trees have spent so far, user and system, ended children included."""
    return sum(sum(int(ticks) for ticks in _fields(pid)[_TIMES]) for pid in tree(roots)) / _TICKS


def pin(roots: Iterable[int], cores: Collection[int]) -> None:
    """Let every thread of these trees run on these cores only; threads that they start later inherit it."""
    for pid in tree(roots):
        for thread in _threads(pid):
            try:
                os.sched_setaffinity(thread, cores)
            except ProcessLookupError:
                continue


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds now, in MB of 1024 kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def _threads(pid: int) -> list[int]:
    try:
        return [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:
        return []


def _fields(pid: int) -> list[str]:
    """Return the fields of `stat` after the name, which may hold spaces; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
