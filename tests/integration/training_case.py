"""One small training for tests: synthetic customers, the shipped contract, and the command in a process of its own."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.process_group import ended
from training.pipeline import TrainOptions, TrainResult, train
from training.progress import Progress, Silent
from training.search import Budget
from training.synthesize import synthesize

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "training" / "contracts" / "synthetic.toml"
FIRST_ONLY = TrainOptions(Budget(trials=1), cheap=False)
"""Lets only the first candidate be tried: tests of faults need no search."""
DEADLINE = 90.0
_SILENT = Silent()


@dataclass(frozen=True)
class Case:
    """A table and a folder of releases."""

    data: Path
    releases: Path
    contract: Path = CONTRACT

    def train(self, progress: Progress = _SILENT) -> TrainResult:
        """Train within this process."""
        return train(self.contract, self.data, self.releases, progress, FIRST_ONLY)

    @contextmanager
    def command(self, largest_file: int | None = None) -> Iterator[subprocess.Popen[str]]:
        """Start `ebb train` as a process group of its own, and end it by its id whatever happens."""

        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        words = [
            "train",
            "--contract",
            self.contract,
            "--data",
            self.data,
            "--out",
            self.releases,
            "--seconds",
            "0",
            "--no-cheap",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "local.entry", *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=limit,  # noqa: PLW1509 - one system call
        )
        with ended(process):
            yield process

    def partial(self) -> list[str]:
        """Return what a half-written release or database would leave."""
        return sorted(p.name for p in self.releases.rglob(".*") if p.name != ".lock")


def make_data(folder: Path, rows: int, seed: int = 0) -> Path:
    """Write synthetic customers and return their table."""
    return synthesize(rows, seed, folder)


def eventually(holds: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Poll until it holds.

    Raises:
        AssertionError: it did not within the seconds.
    """
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(0.02)


def group(leader: int) -> set[int]:
    """Return the living processes of a process group."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == leader and state != "Z":
            found.add(int(stat.parent.name))
    return found
