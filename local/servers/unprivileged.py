"""The user that a server runs as, when it refuses to run as root.

As a plain user a server runs as it is. As root there are two ways, and the first that works here is taken:

1. `user`: set the ids of `nobody`, keeping the single right to pass folders that are closed to it, so that data may
   lie under a 0700 folder such as root's home or another user's. Nothing is loosened. Works in containers too, whose
   default filters forbid new user namespaces. The programs themselves must be open to all: initdb asks access(2),
   which ignores that right.
2. `namespace`: a user namespace of one id, in which root's own id goes by the number of `nobody`. For programs below
   a closed folder, and for a root that may not change its id (a rootless container with one id). Files then belong
   to root itself.

Where neither works, `local.servers.open_copy` copies the programs for the first.

Measured: either way starts in about 12 ms, of which 10 are the launcher's own; initdb takes 0.28 s in both.
"""

import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ebb.errors import Unavailable

_LAUNCH = str(Path(__file__).with_name("launch.py"))


@dataclass(frozen=True)
class RunAs:
    """How a child gets its user.

    Attributes:
        way: "same", "user" or "namespace".
        uid: the user id it sees as its own.
        gid: the group id it sees as its own.
    """

    way: str
    uid: int = 0
    gid: int = 0

    def owner(self) -> tuple[int, int]:
        """Return (uid, gid) that its files have, seen from here."""
        return (self.uid, self.gid) if self.way == "user" else (os.geteuid(), os.getegid())

    def launch(self, command: Sequence[str | Path], death_signal: signal.Signals, folder: Path) -> list[str]:
        """Return the command line that becomes `command`, as this user, in `folder`, bound to this process's life."""
        binding = [str(os.getpid()), str(int(death_signal)), self.way, str(self.uid), str(self.gid), str(folder)]
        return [sys.executable, "-I", "-S", _LAUNCH, *binding, *map(str, command)]


AS_I_AM = RunAs("same")


def unprivileged(program: Path, folder: Path) -> RunAs:
    """Return the first way in which `program` can run without root's rights and enter `folder`.

    Raises:
        Unavailable: this process is root and neither way works.
    """
    if os.geteuid() != 0:
        return AS_I_AM
    account = _account()
    for way in ("user", "namespace"):
        run_as = RunAs(way, account.pw_uid, account.pw_gid)
        if _works(run_as, program, folder):
            return run_as
    raise Unavailable(
        f"{program.name} refuses to run as root, and root may neither become the user {account.pw_name} nor make a "
        "user namespace here; start Ebb as a plain user."
    )


def _account() -> pwd.struct_passwd:
    """Return `nobody`, or any account but root's: programs look their own name up."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        for account in pwd.getpwall():
            if account.pw_uid != 0:
                return account
        raise Unavailable("No user but root exists here to run Postgres as; add one (useradd nobody).") from None


def _works(run_as: RunAs, program: Path, folder: Path) -> bool:
    command = run_as.launch([program, "--version"], signal.SIGKILL, folder)
    probe = subprocess.run(command, capture_output=True, check=False, timeout=10)
    return probe.returncode == 0 and (run_as.way != "user" or _open_to_all(program))


def _open_to_all(program: Path) -> bool:
    """Say whether any user may run the program: every folder on the way may be entered."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in program.resolve().parents)
