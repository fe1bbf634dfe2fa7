"""Progress as lines of a log: a step's begin and end, and every tenth of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

_TENTHS = 10


class Lines:
    """The `training.progress.Progress` of a job: lines on standard output, where SageMaker collects them."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a step of `total` units and say so."""
        began, done, told = monotonic(), 0, 0
        say(f"{title} ...")

        def advance(more: int) -> None:
            nonlocal done, told
            done += more
            tenths = min(_TENTHS * done // max(total, 1), _TENTHS)
            if told < tenths < _TENTHS:
                told = tenths
                say(f"{title}: {tenths * 100 // _TENTHS} %")

        yield advance
        say(f"{title}: done in {monotonic() - began:.1f} s")


def say(line: str) -> None:
    """Write one line and let it be seen at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
