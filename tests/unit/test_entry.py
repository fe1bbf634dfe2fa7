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


SWALLOWED = """
import os, signal
import local.cli
from local.entry import main
from local.terminal import Silent, TerminalProgress

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass

def swallow():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    except:
        pass

def run():
    try:
        with {progress}().step("Look", 2) as advance:
            {inside}
        print("went on")
    except KeyboardInterrupt:
        return 130
    return 0

local.cli.run = run
main()
"""


@pytest.mark.parametrize("progress", ["TerminalProgress", "Silent"])
@pytest.mark.parametrize("inside", ["swallow()", "Finalized()", "swallow(); advance(1); print('went on')"])
def test_an_interrupt_that_a_library_swallows_is_heard_at_the_next_progress(progress: str, inside: str) -> None:
    program = SWALLOWED.format(progress=progress, inside=inside)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 130, done.stderr
    assert "went on" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_second_ctrl_c_while_the_first_is_answered_is_no_traceback() -> None:
    program = (
        "import os, signal\nimport local.cli, local.entry\n"
        "def again():\n    os.kill(os.getpid(), signal.SIGINT)\n    signal.pause()\n"
        "local.cli.run, first = again, local.entry._interrupted\n"
        "calls = []\n"
        "def answer():\n    calls.append(1)\n    return again() if len(calls) == 1 else first()\n"
        "local.entry._interrupted = answer\nlocal.entry.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "ebb: interrupted; nothing half-written was kept\n")
