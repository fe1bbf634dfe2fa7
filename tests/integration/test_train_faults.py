"""Training under interrupt, a full disk and a rival: a release is whole or it is not there."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from tests.integration.small_problem import NAME, columns, problem
from tests.integration.training_case import DEADLINE, Case, eventually, group
from tests.integration.training_stages import LARGE, STAGES, whole


class Recording:
    """Remembers the titles of all steps."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a step."""
        assert total >= 1
        self.titles.append(title)
        yield lambda _done: None


class Interrupting(Recording):
    """Presses Ctrl-C at the first progress of one step."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a step, interrupted when it is the one."""
        with super().step(title, total):
            yield lambda _done: self._press(title)

    def _press(self, title: str) -> None:
        if title == self._at:
            raise KeyboardInterrupt


def case_of(folder: Path, releases: Path, *, rows: int = 1_000, seed: int = 0) -> Case:
    """Write a small problem."""
    made = problem(folder, columns(rows, seed))
    return Case(made.folder / "data.parquet", releases, made.folder / "contract.toml")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a contract and a table."""
    folder = tmp_path_factory.mktemp("table")
    case_of(folder, folder)
    return folder


def beside(table: Path, releases: Path) -> Case:
    return Case(table / "data.parquet", releases, table / "contract.toml")


@pytest.fixture(scope="module")
def before(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases with a champion of other data."""
    case = case_of(tmp_path_factory.mktemp("other"), tmp_path_factory.mktemp("before") / "r", seed=2)
    recording = Recording()
    case.train(recording)
    assert tuple(recording.titles) == STAGES
    assert table.is_dir()
    return case.releases


@pytest.mark.parametrize("title", STAGES[:-1])
def test_ctrl_c_at_any_step_leaves_everything_as_it_was(table: Path, before: Path, title: str) -> None:
    case = beside(table, before)
    store = FolderReleases(before)
    champion, versions = store.champion(NAME), store.versions(NAME)
    with pytest.raises(KeyboardInterrupt):
        case.train(Interrupting(title))
    assert (store.champion(NAME), store.versions(NAME)) == (champion, versions)
    assert case.partial() == []


@pytest.mark.parametrize("file", [1, 4, 7])
def test_ctrl_c_while_a_file_is_written(
    table: Path, before: Path, tmp_path: Path, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(before, tmp_path / "r")
    case, store = beside(table, tmp_path / "r"), FolderReleases(tmp_path / "r")
    champion, versions = store.champion(NAME), store.versions(NAME)
    synced, real = 0, os.fsync

    def press(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        if synced == file:
            raise KeyboardInterrupt
        real(descriptor)

    monkeypatch.setattr(os, "fsync", press)
    with pytest.raises(KeyboardInterrupt):
        case.train()
    assert synced == file
    assert (store.champion(NAME), store.versions(NAME)) == (champion, versions)
    assert case.partial() == []


def test_ctrl_c_at_the_command_ends_it_and_its_workers(tmp_path: Path) -> None:
    case = case_of(tmp_path / "large", tmp_path / "releases", rows=LARGE)  # enough rows for worker processes
    with case.command() as process:
        eventually(lambda: len(group(process.pid)) > 2, "worker processes")
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=DEADLINE)
        assert process.returncode == 130, output
        assert "Traceback" not in output
        eventually(lambda: not group(process.pid), "the workers' end")
    assert not case.releases.exists()


def test_workers_die_with_a_killed_parent(tmp_path: Path) -> None:
    case = case_of(tmp_path / "large", tmp_path / "releases", rows=LARGE)
    with case.command() as process:
        eventually(lambda: len(group(process.pid)) > 2, "worker processes")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(DEADLINE)
        eventually(lambda: not group(process.pid), "the workers' end")


def test_a_file_size_limit_leaves_no_half_release(table: Path, tmp_path: Path) -> None:
    case = beside(table, tmp_path / "releases")
    with case.command(largest_file=30_000) as process:
        output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "could not be written: File too large; nothing of it was kept" in output
    assert "Traceback" not in output
    assert FolderReleases(case.releases).versions(NAME) == []
    assert case.partial() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_no_half_release(table: Path, small_disk: Path) -> None:
    (small_disk / "fill").write_bytes(bytes(960_000))
    case = beside(table, small_disk / "releases")
    with case.command() as process:
        output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "could not be written: No space left on device; nothing of it was kept" in output
    assert "Traceback" not in output
    assert FolderReleases(case.releases).versions(NAME) == []
    assert case.partial() == []


def test_two_trainings_at_once_both_finish(table: Path, tmp_path: Path) -> None:
    first = beside(table, tmp_path / "releases")
    second = case_of(tmp_path / "two", tmp_path / "releases", seed=3)
    with first.command() as one, second.command() as two:
        outputs = [process.communicate(timeout=2 * DEADLINE)[0] for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], outputs
    assert not any("not registered" in output for output in outputs), outputs
    store = FolderReleases(first.releases)
    assert len(store.versions(NAME)) == 2
    whole(store)
    champion = load_champion(store, NAME, OnnxScorer)
    assert champion.manifest.version in store.versions(NAME)
    assert first.partial() == []
