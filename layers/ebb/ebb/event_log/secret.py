"""The stage secret: what pseudonyms and sealing keys are derived from."""

import os
import stat
from pathlib import Path

from ebb.errors import Misuse

SHORTEST = 32
"""Bytes of a stage secret, at the least."""

_LONGEST = 1_024
_OTHERS = 0o077


def read_stage_secret(path: str | os.PathLike[str]) -> bytes:
    """Return the stage secret that a file holds: all its bytes, as they are.

    Raises:
        Misuse: there is no such file, others than its owner may use it, or its length is wrong.
    """
    name = Path(path).name
    try:
        # Not to wait where the name is a pipe's; what is judged is what was opened.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            _require_private(name, os.fstat(file.fileno()))
            secret = file.read(_LONGEST + 1)
    except OSError as error:
        raise Misuse(
            f"The stage secret {name} cannot be read ({error.strerror}); "
            "EBB_STAGE_SECRET_FILE names a file of 32 random bytes."
        ) from None
    return require_length(name, secret)


def require_length(name: str, secret: bytes) -> bytes:
    """Return a stage secret whose length is one.

    Args:
        name: what it is called in the sentence.
        secret: all of it, or more than may be.

    Raises:
        Misuse: it is too short or too long.
    """
    if not SHORTEST <= len(secret) <= _LONGEST:
        length = f"{len(secret)}" if secret[_LONGEST:] == b"" else f"more than {_LONGEST:,}"
        raise Misuse(
            f"The stage secret {name} has {length} bytes, and must have {SHORTEST} to {_LONGEST:,}; "
            "write it anew with that many random bytes."
        )
    return secret


def _require_private(name: str, about: os.stat_result) -> None:
    """Refuse what is no file, or may be used by others than its owner."""
    if not stat.S_ISREG(about.st_mode):
        raise Misuse(f"The stage secret {name} is no file; EBB_STAGE_SECRET_FILE names a file of 32 random bytes.")
    if about.st_mode & _OTHERS:
        raise Misuse(
            f"The stage secret {name} may be used by others than its owner (mode {about.st_mode & 0o777:04o}); "
            "take that from them with `chmod 600`, and replace the secret if somebody may have read it."
        )
