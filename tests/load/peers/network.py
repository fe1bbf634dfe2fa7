"""Entering the network namespace of a server that was given one of its own (setns(2))."""

import ctypes
import os

_CLONE_NEWNET = 0x40000000


def enter_network_of(pid: int) -> None:
    """Let this thread's sockets be in the network of another process from now on.

    Raises:
        OSError: the kernel refuses it, or the process is gone.
    """
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"the network of another process cannot be entered: {os.strerror(number)}")
    finally:
        os.close(descriptor)
