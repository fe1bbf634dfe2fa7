"""Ctrl-C in the middle of a silent command: exit code 130, one sentence, nothing half-written."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fakes.made_contracts import contract_text
from tests.home import ROOT, Home
from tests.process_group import ended

DEADLINE = 120.0
SENTENCE = "ebb: interrupted; nothing half-written was kept"
_PR_SET_PDEATHSIG = 1


def _child() -> None:
    """Let nothing outlive the test, and hear Ctrl-C even where the shell that began it all ignores it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def command(folder: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """Start `ebb` as the leader of a group of its own; end the group by its id whatever happens."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "local.entry", *map(str, words)],
        cwd=folder,
        env={**os.environ, "EBB_HOME": str(folder / ".ebb"), "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_child,  # noqa: PLW1509 - two system calls
    )
    with ended(process):
        yield process


def interrupted(process: subprocess.Popen[str], middle: Callable[[], bool], what: str) -> str:
    """Press Ctrl-C once the command is in the middle; return what it said on standard error."""
    until = time.monotonic() + DEADLINE
    while not middle():
        assert process.poll() is None, f"it ended before {what}: {process.communicate()}"
        assert time.monotonic() < until, f"waited {DEADLINE:.0f} s in vain for {what}"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    shown, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == 130, (process.returncode, shown, said)
    assert shown == "", "half a document is none"
    assert "Traceback" not in said
    return said


def loaded(process: subprocess.Popen[str], library: str) -> Callable[[], bool]:
    """Whether a process has a native library in memory: it has begun with what it needs it for."""
    maps = Path(f"/proc/{process.pid}/maps")

    def holds() -> bool:
        try:
            return library in maps.read_text(encoding="utf-8")
        except OSError:
            return False

    return holds


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def large(folder: Path, rows: int = 1_500_000) -> tuple[Path, Path]:
    """Write a table that takes seconds to validate, and its contract."""
    random = np.random.default_rng(0)
    columns = {f"x{i}": random.random(rows) for i in range(6)}
    names = pa.array([f"e{i}" for i in range(rows)])
    pq.write_table(pa.table({"id": names, **columns, "y": random.integers(0, 2, rows)}), folder / "t.parquet")
    contract = folder / "c.toml"
    features = (f'name = "{name}"; kind = "number"' for name in columns)
    contract.write_text(contract_text(*features, entity="id"), encoding="utf-8")
    return folder / "t.parquet", contract


@pytest.mark.parametrize("words", [("--rows", 5_000_000), ("--customers", 400_000, "--months", 24, "--workers", 1)])
def test_synthesize(tmp_path: Path, words: tuple[object, ...]) -> None:
    out = tmp_path / "data"
    with command(tmp_path, "synthesize", *words, "--out", out, "--json") as process:
        said = interrupted(process, lambda: out.is_dir() and any(out.rglob("*.*")), "the first bytes of a file")
    assert said.strip() == SENTENCE
    assert not [name for name in files_in(out) if name.endswith(("customers.parquet", "truth.parquet"))]
    assert not [name for name in files_in(out) if "partial" in name]


@pytest.mark.parametrize(("engine", "library"), [("--rows", "libarrow"), ("--profile", "duckdb")])
def test_validate(tmp_path: Path, engine: str, library: str) -> None:
    data, contract = large(tmp_path)
    docs = tmp_path / "docs"
    words = ("validate", data, "--contract", contract, engine, "--docs", docs, "--json")
    with command(tmp_path, *words) as process:
        said = interrupted(process, loaded(process, library), f"{library} was loaded")
    assert said.strip() == SENTENCE
    assert not docs.exists() or not files_in(docs)
    assert files_in(tmp_path / "tmp") == []


def test_evaluate(trained: Home, tmp_path: Path) -> None:
    trained.ok("synthesize", "--rows", "150000", "--seed", "3", "--out", str(tmp_path / "later"))
    releases = trained.folder / "releases"
    before = {path: path.stat().st_mtime_ns for path in releases.rglob("*") if path.is_file()}
    words = ("evaluate", "--release", releases, "--data", tmp_path / "later" / "customers.parquet", "--json")
    with command(tmp_path, *words) as process:
        said = interrupted(process, loaded(process, "onnxruntime"), "the graph's runtime was loaded")
    assert said.strip() == SENTENCE
    assert {path: path.stat().st_mtime_ns for path in releases.rglob("*") if path.is_file()} == before
    assert files_in(tmp_path / "tmp") == []
