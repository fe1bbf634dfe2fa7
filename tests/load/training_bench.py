"""Measure every figure of training and write its section of `docs/benchmarks.md`: what `make bench-training` runs.

`python -m tests.load.training_bench PART...` only prints some parts.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from local.terminal import TerminalProgress, console, print_table
from tests.home import ROOT
from tests.load.batch_figures import batch_figures
from tests.load.bench import TARGET, TITLE
from tests.load.figures import Figure, rows_of
from tests.load.page import put_section, section
from tests.load.synthetic_figures import world_figures
from tests.load.training_figures import large_figures, long_figures, training_figures
from tests.load.validation_figures import profile_figures, wide_figures

_ABOUT = """Written by `make bench-training`, which takes about 45 minutes and 10 GB of disk. It can be run in parts,
each of which is measured in one run, as these were. Seconds are those of whole commands, from process start to end;
memory is the most that a command and its workers held together, pages they share counted once. `make verify` guards
the training within a minute and the batch scoring."""


def events_figures(folder: Path) -> Iterator[Figure]:
    """Make 5 GB of events, build the monthly table from them, and profile every row."""
    yield from world_figures(folder / "world")
    yield from profile_figures(folder / "world")
    yield from wide_figures()


PARTS: dict[str, Callable[[Path], Iterable[Figure]]] = {
    "events": events_figures,
    "train": training_figures,
    "batch": batch_figures,
    "large": large_figures,
    "long": long_figures,
}


def main(chosen: list[str]) -> int:
    """Measure, print, and write the page after each part; exit code 1 when a promise is not kept."""
    figures: list[Figure] = []
    with TerminalProgress().step("Measure the figures", 30) as done:
        for name in chosen or PARTS:
            with tempfile.TemporaryDirectory(prefix="ebb-training-") as folder:
                for figure in PARTS[name](Path(folder)):
                    figures.append(figure)
                    done(1)
            if not chosen:
                put_section(TARGET, TITLE, "training", section("Training", _ABOUT, figures))
    print_table("Training", ["figure", "measured", "promised", "kept", "how"], rows_of(figures))
    if not chosen:
        console.print(f"Written: {TARGET.relative_to(ROOT)}")
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
