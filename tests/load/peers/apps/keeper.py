"""Start a peer, and end all of its processes with this one, however many it started itself.

Run as `python -IS keeper.py OWN_NETWORK PROGRAM [ARGUMENT...]`. Whatever a peer's process leaves behind when it ends
becomes this process's child (PR_SET_CHILD_SUBREAPER, prctl(2)) and is ended too. With OWN_NETWORK `1` the peer runs in
a network namespace of its own, in which there is a loopback and nothing else.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_SECONDS = 8.0


def main(own_network: str, *command: str) -> int:
    """Run the peer until it or this process is ended; return its exit code."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if own_network == "1":
        _call("unshare", _CLONE_NEWNET)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            fcntl.ioctl(one, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    process = subprocess.Popen(command)
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        process.terminate()
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        _end_descendants()


def _end_descendants() -> None:
    end = time.monotonic() + _SECONDS
    while (children := _children(os.getpid())) and time.monotonic() < end:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _call(name: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
        raise OSError(ctypes.get_errno(), f"{name} is refused here")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
