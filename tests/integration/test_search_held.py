"""Of two trainings on one `--resume` folder the second is told who holds it; a kill -9 lets it go."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ebb.errors import DataError
from tests.integration.small_problem import columns, problem, refused
from tests.integration.training_case import DEADLINE, ROOT
from training.search.kept import kept

HOLDS = """
import signal, sys
from pathlib import Path
from training.search.kept import kept
with kept(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_the_second_is_told_which_process_holds_it_and_kill_9_lets_it_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, folder = problem(tmp_path, columns()), tmp_path / "search"
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            capsys.readouterr()
            assert made.train("--resume", str(folder)) == 1
            told = refused(capsys)
            assert f"is in use by another training (process {holder.pid}): wait until it has ended, or give" in told
            assert not made.releases.exists() or not list(made.releases.glob("*/*/card.html"))
        finally:
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait(DEADLINE)
    assert made.train("--resume", str(folder)) == 0
    assert made.train("--resume", str(folder)) == 0, "and whoever has ended holds it no longer"


def test_a_folder_without_a_name_in_it_is_held_all_the_same(tmp_path: Path) -> None:
    """The disk may have been full when the holder wrote its number."""
    with kept(tmp_path):
        (tmp_path / "lock").write_text("")
        with pytest.raises(DataError, match="is in use by another training: wait"), kept(tmp_path):
            pass
    with kept(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot keep a search: Not a directory"), kept(tmp_path / "file" / "below"):
        pass
