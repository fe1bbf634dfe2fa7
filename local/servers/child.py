"""Children that never outlive their parent, are spoken to by id only, and always end."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from ebb.errors import Unavailable
from local.servers.process_id import ProcessId
from local.servers.unprivileged import AS_I_AM, RunAs

Steps = Sequence[tuple[signal.Signals, float]]
"""Signals to send one after the other, each with the seconds given to it."""

POLITE: Steps = ((signal.SIGTERM, 5.0),)


class Child:
    """One running child process.

    Attributes:
        name: what it is, for messages.
        log: the file that its output goes to.
        id: pid and start time.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, log_offset: int = 0) -> None:
        self.name, self.log = name, log
        self._process = process
        self._log_offset = log_offset
        self.id = ProcessId.of(process.pid) or ProcessId(process.pid, 0)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Wait at most so many seconds for its end; say whether it has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        self._process.send_signal(number)

    def stop(self, steps: Steps = POLITE) -> int:
        """Send each signal and give it its time, then SIGKILL; returns the exit code, when it has ended for sure."""
        for number, seconds in steps:
            self.send(number)
            if self.wait(seconds):
                break
        else:
            self.send(signal.SIGKILL)
        return self._process.wait()

    def output(self, last_bytes: int = 2000) -> str:
        """Return the end of what it has written to its log since it was started."""
        with self.log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_offset, end - last_bytes))
            return file.read().decode(errors="replace")


def start_child(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signal.Signals = signal.SIGKILL,
    run_as: RunAs = AS_I_AM,
    own_session: bool = True,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start a child that gets `death_signal` when this process ends, however it ends.

    Args:
        name: what it is, for messages.
        command: absolute path of the program, then its arguments.
        log: file that its output is appended to; created for its owner only.
        death_signal: the signal that the kernel sends when this process is gone.
        run_as: the user it runs as.
        own_session: keep it out of reach of the terminal's Ctrl-C.
        environment: its environment; this process's own when None.
        folder: its working directory, entered after the change of user; the root folder when None.

    Raises:
        Unavailable: the log cannot be written.
    """
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"{name} was not started: its log {log} cannot be written ({error.strerror}).") from error
    launch = run_as.launch(command, death_signal, folder or Path("/"))

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            launch,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=None if environment is None else dict(environment),
            start_new_session=own_session,
        )

    offset = log.stat().st_size
    try:
        return Child(name, _spawner().submit(start).result(), log, offset)
    finally:
        os.close(descriptor)


@cache
def _spawner() -> ThreadPoolExecutor:
    """Return one thread that lives as long as the process.

    The parent-death signal is sent when the *thread* that forked ends (prctl(2)), so a child started from a passing
    worker thread would be killed with it.
    """
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="children")
