"""The stage's secret, from which the keys of events are derived: a file, never a variable."""

import os
from pathlib import Path

from ebb.errors import Misuse
from ebb.synced import sync, write_synced

BYTES = 32


def stage_secret(folder: Path) -> Path:
    """Return the file that holds the secret of the local stage; it is made once, with mode 0600.

    What was sealed with a secret is lost with it, so one that is there is never replaced.

    Args:
        folder: the state folder; the file is `stage_secret` in it.

    Raises:
        Misuse: the file is there, but holds no secret.
        OSError: it cannot be written.
    """
    path = folder / "stage_secret"
    if not path.exists():
        _make(path)
    if not path.is_file() or path.stat().st_size != BYTES:
        raise Misuse(f"{path} does not hold {BYTES} bytes: put the stage's secret back, or start in another EBB_HOME")
    return path.resolve()


def _make(path: Path) -> None:
    partial = path.with_name(f".partial-{os.urandom(8).hex()}")
    try:
        write_synced(partial, os.urandom(BYTES), 0o600)
        try:
            path.hardlink_to(partial)
        except FileExistsError:
            return  # another start was first, and its secret holds
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)
