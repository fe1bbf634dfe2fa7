"""How a command ends when Ctrl-C was pressed, whatever was heard first."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys
import local.cli
from local.entry import main

def run():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    except KeyboardInterrupt:
        pass
    {ends}

local.cli.run = run
main()
"""


def _end(ends: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(ends=ends)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("ends", ["raise RuntimeError('a worker died')", "raise KeyboardInterrupt", "return 1"])
def test_a_failure_that_ctrl_c_caused_is_an_interruption(ends: str) -> None:
    done = _end(ends)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr


def test_what_came_to_its_end_all_the_same_has_succeeded() -> None:
    assert _end("return 0").returncode == 0


def test_a_failure_without_ctrl_c_stays_one() -> None:
    program = "import local.cli\nfrom local.entry import main\nlocal.cli.run = lambda: 1 / 0\nmain()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
