"""What a search keeps in the folder for temporary files: gone with it, and with the next one where it was killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.tables import make_table
from tests.integration.training_case import DEADLINE, ROOT
from training.fit import TreeSize, code
from training.folds import Folds, fold_of
from training.search.runners import Processes
from training.search.task import Material, Task
from training.search.workplace import Workplace, clear_abandoned

OWNER = """
import sys
from training.search.workplace import Workplace
place = Workplace()
(place.folder / "numbers.npy").write_bytes(bytes(1000))
print(place.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_it_is_removed_with_its_search(temporary: Path) -> None:
    place = Workplace()
    (place.folder / "file").write_text("held")
    assert [path.name for path in temporary.iterdir()] == [place.folder.name]
    place.close()
    place.close()
    assert list(temporary.iterdir()) == []


def test_that_of_a_killed_search_is_removed_by_the_next_and_that_of_a_living_one_is_not(temporary: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            folder = Path(process.stdout.readline().strip())
            assert folder.parent == temporary
            mine = Workplace()
            clear_abandoned()
            assert (folder / "numbers.npy").is_file(), "its owner lives"
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(DEADLINE)
    clear_abandoned()
    assert list(temporary.iterdir()) == [mine.folder]
    mine.close()


def test_what_is_no_folder_of_ours_stays(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("kept")
    (temporary / "ebb-search-link").symlink_to(elsewhere)
    (temporary / "ebb-search-file").write_text("kept")
    clear_abandoned()
    assert (elsewhere / "file").read_text() == "kept"
    assert (temporary / "ebb-search-file").is_file()


def test_a_wait_of_ages_is_one_that_the_system_can_bear() -> None:
    inputs, labels = make_table(500, 2, 1)
    material = Material(code(inputs), labels, Folds(fold_of(labels, 0)), None, 0)
    runner = Processes(material, 1)
    try:
        runner.submit(Task(0, TreeSize("four", 4, 0.3, 5), 0))
        (done,) = runner.wait(1e300)
    finally:
        runner.close()
    assert done.raw is not None
    assert np.isfinite(done.raw).all()
