"""How long work tells how far it is: a port, so that training knows nothing of terminals."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from training.interrupts import check


class Progress(Protocol):
    """Shows the steps of a long piece of work."""

    def step(self, title: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Open a step of `total` units; the yielded call reports how many more are done."""


class Silent:
    """Shows nothing, for scripts and tests; hears a Ctrl-C that a library swallowed."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002 - the port's names
        """Open a step that nobody sees.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed before, during or at the end of the step.
        """
        check()
        yield lambda _done: check()
        check()
