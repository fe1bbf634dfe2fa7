"""Holds a program and whatever it starts: ended by SIGTERM, it ends them all.

Run as `python -I -S holder.py PROGRAM [ARGUMENT...]`, as the leader of a session of its own; imports nothing of Ebb.
`npx` runs the real program as its grandchild, which no signal for a parent's death would reach.
"""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

_PR_SET_CHILD_SUBREAPER = 36
_SECONDS = 10
"""That they have to end by themselves."""

_ended: list[int] = []


def main(command: list[str]) -> int:
    """Run a program and return how it ended."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # who loses its parent becomes a child of this one
    signal.signal(signal.SIGINT, lambda *_: None)  # meant for the others; a default of theirs again when they start
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
    code = subprocess.run(command, check=False).returncode
    with suppress(ChildProcessError):
        while _ended:
            os.wait()
    return code if code >= 0 else 128 - code


def _end(number: int, *_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _ended.append(number)
    signal.alarm(_SECONDS)
    os.killpg(0, signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
