"""Become `python -m awslambdaric HANDLER`, bound to die with the executor. Run as a script, never imported by Ebb.

PR_SET_PDEATHSIG survives exec. It is set here and not in a hook between fork and exec: such a hook runs Python in
the fork of a process with threads, which can deadlock.

Arguments: the executor's process id, the handler.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, handler: str) -> None:
    """Bind to the parent and exec the runtime client; leave at once when the parent is already gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
    os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", handler])  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
