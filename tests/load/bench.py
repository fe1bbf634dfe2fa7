"""Measure every figure and write its section of `docs/benchmarks.md`: what `make bench` runs."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.terminal import TerminalProgress, console, print_table
from tests.home import ROOT, Home
from tests.load.cloud_figures import cloud_figures, overhead_figures, prepare
from tests.load.figures import Figure, rows_of
from tests.load.history import history_figures
from tests.load.load_figures import load_figures
from tests.load.page import put_section, section
from tests.load.postgres_figures import postgres_figures
from tests.load.quality_figures import parity_figure, quality_figures, tables
from tests.load.stopped_valkey import stopped_valkey_figures
from tests.load.store_figures import cache_figures
from tests.load.synth_figures import synth_figures
from tests.load.valkey_figures import valkey_figures

ROWS = 100_000
REQUESTS = 5_000
HISTORY_ROWS = 5_000_000
"""`make bench-history` measures ten times as many."""
TARGET, TITLE = ROOT / "docs" / "benchmarks.md", "Benchmarks"
_ABOUT = f"""Written by `make bench`; every figure was measured in one run. `make verify` guards each promised one:
a time fails when it is missed by more than half after the machine's own slowness in that run is taken out, anything
else when it is missed at all. The synthetic table has {ROWS:,} rows, 30 features, seed 0; the history is measured with
ten times as many rows on [a page of its own](benchmarks-history.md)."""


def measure_all(rows: int, requests: int) -> Iterator[Figure]:
    """Measure every figure, one after the other, on an otherwise idle machine."""
    yield from valkey_figures()
    yield from postgres_figures()
    yield from cache_figures()
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        yield from load_figures(Path(folder))
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        yield from synth_figures(Path(folder))
    yield from history_figures(HISTORY_ROWS)
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        home = Home(Path(folder))
        table = prepare(home, rows)
        yield from overhead_figures(requests)
        yield from cloud_figures(home)
        yield from stopped_valkey_figures(home)
        for contract, dataset in tables(ROOT.parent / "shared" / "data", table):
            yield parity_figure(contract, dataset)
            yield from quality_figures(contract, dataset)


def main() -> int:
    """Measure, print, write; exit code 1 when a promise is not kept."""
    figures: list[Figure] = []
    if not (ROOT.parent / "shared" / "data").is_dir():
        console.print(
            "not measured: the real tables are missing (../shared/data), and a page without them would mislead"
        )
        return 1
    with TerminalProgress().step("Measure the figures", 51) as done:
        for figure in measure_all(ROWS, REQUESTS):
            figures.append(figure)
            done(1)
    print_table("Figures", ["figure", "measured", "promised", "kept"], [row[:4] for row in rows_of(figures)])
    put_section(TARGET, TITLE, "figures", section("The figures that are promised", _ABOUT, figures))
    console.print(f"Written: {TARGET.relative_to(ROOT)}")
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
