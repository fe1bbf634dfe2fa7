"""What 5 GB of synthetic events cost: to make them, and to build the monthly table from them.

`python -m tests.load.synthetic_figures` measures all of it; `python -m tests.load.synthetic_figures 500MB` less.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ebb.errors import Misuse
from local.terminal import print_table
from tests.home import ROOT
from tests.load.figures import Figure, rows_of
from training.synthesize import parse_size

SIZE = "5GB"
WORKERS = 2
MAKE_SECONDS, WORKER_GB = 120.0, 1.0
BUILD_SECONDS, BUILD_GB = 60.0, 6.0
_CONTRACT = ROOT / "training" / "contracts" / "synthetic_events.toml"
_EBB = (sys.executable, "-m", "local.entry")
_LOOK_SECONDS = 0.2


def synthetic_figures(size: str = SIZE) -> Iterator[Figure]:
    """Make the events in a folder that is gone afterwards, build the table, and measure both.

    The seconds are those of the commands, from process start to end. Promises are for 5 GB; of less, the seconds are
    promised in proportion.

    Raises:
        Misuse: the disk has not twice the room.
    """
    if shutil.disk_usage(tempfile.gettempdir()).free < 2 * parse_size(size):
        raise Misuse(f"{tempfile.gettempdir()} has no room for twice {size}: set TMPDIR to another disk")
    with tempfile.TemporaryDirectory(prefix="ebb-synthetic-") as folder:
        yield from world_figures(Path(folder) / "world", size)


def world_figures(out: Path, size: str = SIZE) -> Iterator[Figure]:
    """Make the events in a folder that stays, build the table, and measure both."""
    wanted = parse_size(size)
    share = wanted / parse_size(SIZE)
    facts, seconds, _ = _measured("synthesize", "--size", size, "--workers", str(WORKERS), "--out", str(out))
    of = f"{facts['events'] / 1e6:,.0f} million rows, {facts['bytes'] / 1e9:.2f} GB of zstd parquet"
    yield Figure("synthetic events, made", "s", seconds, MAKE_SECONDS * share, f"{of}, {WORKERS} processes")
    missed = abs(facts["bytes"] / wanted - 1)
    yield Figure("synthetic events, size missed by", "share", missed, 0.05, f"of {size}", tolerated=1.0)
    peak = facts["peak_bytes_a_worker"] / 1e9
    yield Figure("synthetic events, memory of a worker", "GB", peak, WORKER_GB, "its most", tolerated=1.0)
    yield from _build(out, facts, share, of)


def _build(out: Path, facts: dict[str, Any], share: float, of: str) -> Iterator[Figure]:
    span = ("--every", "month", "--from", facts["first_snapshot"], "--until", facts["last_snapshot"], "--labelled")
    where = ("--contract", str(_CONTRACT), "--events", str(out / "events"), "--out", str(out / "table.parquet"))
    built, seconds, peak = _measured("build", *where, *span)
    made = f"{len(built['snapshots'])} monthly snapshots, {built['rows'] / 1e6:,.1f} million rows of 25 features"
    yield Figure("monthly build, all of it", "s", seconds, BUILD_SECONDS * share, f"{made}, from {of}")
    yield Figure("monthly build, memory", "GB", peak, BUILD_GB, "the process's most, 2 threads", tolerated=1.0)


def _measured(*arguments: str) -> tuple[dict[str, Any], float, float]:
    """Run a command of `ebb` and return what it printed, its seconds, and its own most memory in GB."""
    start = time.perf_counter()
    with (
        subprocess.Popen([*_EBB, *arguments, "--json"], cwd=ROOT, stdout=subprocess.PIPE) as run,
        _watched(run) as most,
    ):
        try:
            printed, _ = run.communicate()
        finally:
            run.kill()
    seconds = time.perf_counter() - start
    if run.returncode:
        raise RuntimeError(f"ebb {arguments[0]} ended with {run.returncode}")
    return json.loads(printed), seconds, most[0] / 1e6


@contextmanager
def _watched(run: subprocess.Popen[bytes]) -> Iterator[list[float]]:
    """Yield the most memory that a process has held, in kB, as the kernel counts it while it runs."""
    most, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(_LOOK_SECONDS):
            try:
                status = Path(f"/proc/{run.pid}/status").read_text()
            except OSError:
                return
            told = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
            most[0] = max([most[0], *map(float, told)])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        done.set()
        looking.join()


def main() -> int:
    """Measure and print; exit code 1 when a promise is not kept."""
    figures = list(synthetic_figures(*sys.argv[1:2]))
    print_table("Synthetic events", ["figure", "measured", "promised", "kept", "how"], rows_of(figures))
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
