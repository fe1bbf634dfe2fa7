"""Progress as lines of a log: a step's begin and end, and tenths of it where it takes long."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from training.progress import Silent

_TENTHS = 10
_PAUSE_SECONDS = 2.0


class Lines:
    """The `training.progress.Progress` of a job: lines on standard output, where SageMaker collects them."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a step of `total` units and say so.

        Raises:
            KeyboardInterrupt: the job is to end, and a library swallowed the first word of it.
        """
        began = said = monotonic()
        done = told = 0
        say(f"{title} ...")

        def advance(more: int) -> None:
            nonlocal done, told, said
            hear(more)
            done += more
            tenths = min(_TENTHS * done // max(total, 1), _TENTHS)
            if told < tenths < _TENTHS and monotonic() - said > _PAUSE_SECONDS:
                told, said = tenths, monotonic()
                say(f"{title}: {tenths * 100 // _TENTHS} %")

        with Silent().step(title, total) as hear:
            yield advance
        say(f"{title}: done in {monotonic() - began:.1f} s")


def say(line: str) -> None:
    """Write one line and let it be seen at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
