"""Freezing an environment between its invocations, as Lambda does: nothing in it runs until the next event comes."""

import os
import signal
from contextlib import suppress


class Freezer:
    """Stops and continues whatever runs in one environment: its process and all that this one has started.

    The environment's process leads a group of its own, which a signal reaches whole. A frozen process can still be
    killed; any other signal waits until it is thawed.

    Attributes:
        frozen: whether the environment stands still.
        pauses: how often it was frozen.
    """

    def __init__(self) -> None:
        self.frozen = False
        self.pauses = 0

    def freeze(self, pid: int) -> None:
        """Stop the group of a process; what has ended meanwhile needs no stop."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGSTOP)
            self.frozen = True
            self.pauses += 1

    def thaw(self, pid: int) -> None:
        """Let the group go on, if it stands still."""
        if self.frozen:
            self.frozen = False
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGCONT)

    def forget(self) -> None:
        """The process has ended: the next one starts unfrozen."""
        self.frozen = False
