"""The steps of one training: shown, timed, and with what they noticed on the way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from training.progress import Progress


@dataclass
class Steps:
    """What the steps share.

    Attributes:
        progress: shows them.
        timings: seconds by step.
        notes: sentences worth saying to people.
    """

    progress: Progress
    timings: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a step that shows its own progress."""
        started = time.perf_counter()
        yield
        self.timings[name] = round(time.perf_counter() - started, 3)

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Time and show a step of one unit."""
        with self.timed(name), self.progress.step(title, 1) as advance:
            yield
            advance(1)
