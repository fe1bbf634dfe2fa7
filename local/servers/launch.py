"""Become another program: take on its user, bind its life to the parent's, then exec.

Run as `python -I -S launch.py PARENT SIGNAL WAY UID GID FOLDER PROGRAM [ARGUMENT...]`; imports nothing of Ebb, since it
stands between a server and everything else. A program of its own instead of `preexec_fn`, which may deadlock in a
process that has threads, and which can not use vfork. Costs about 10 ms.

The kernel forgets the parent-death signal whenever a process changes its credentials, so it is set last (prctl(2)).
"""

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3, _CAP_DAC_OVERRIDE = 0x20080522, 1
CANNOT = 126
"""Exit status when the program was never reached (127: not found), as shells use it."""


def main(arguments: list[str]) -> int:
    """Do what the module says; returns only when it cannot."""
    parent, death_signal, way, uid, gid, folder, *command = arguments
    try:
        if way == "user":
            _become_user(int(uid), int(gid))
        elif way == "namespace":
            _become_namespaced(int(uid), int(gid))
        # A shell's background job has SIGINT ignored, and would hand that down to a server that is stopped by it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(folder)
        _call("prctl", _PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):
            return 1  # the parent died before the signal was set
        os.execv(command[0], command)  # noqa: S606 (no shell is the point)
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error}\n")
        return CANNOT


def _become_user(uid: int, gid: int) -> None:
    """Become an unprivileged user that keeps one right of root: to pass folders closed to it."""
    _call("prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    keep = 1 << _CAP_DAC_OVERRIDE
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    try:
        _call("capset", header, struct.pack("6I", keep, keep, keep, 0, 0, 0))
        _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
    except OSError:
        # A root without this right: enough where every folder on the way is open, which the caller probes.
        _call("capset", header, struct.pack("6I", 0, 0, 0, 0, 0, 0))


def _become_namespaced(uid: int, gid: int) -> None:
    """Enter a user namespace in which root's own id goes by another number (user_namespaces(7))."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")


def _call(name: str, *arguments: int | bytes) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    converted = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments]
    if getattr(library, name)(*converted) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
