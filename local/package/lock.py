"""What a lock says: which version of each wheel, and the hashes that any file of it may have."""

import re
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"^(?P<name>[a-zA-Z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:(?P<hash>[0-9a-f]{64})")


@dataclass(frozen=True)
class Locked:
    """One version of a package.

    Attributes:
        version: the only one that may be installed.
        sha256: of the files that the index has of it, sorted; the installed wheel is one of them.
    """

    version: str
    sha256: tuple[str, ...]


def read_lock(path: Path) -> dict[tuple[str, str], Locked]:
    """Return what a requirements file of `uv pip compile --generate-hashes` locks, by normalized name and version."""
    found: dict[tuple[str, str], Locked] = {}
    for block in re.split(r"\n(?=[a-zA-Z0-9])", path.read_text()):
        line = _LINE.match(block)
        if line:
            name, version = normalized(line["name"]), line["version"]
            found[name, version] = Locked(version, tuple(sorted(_HASH.findall(block))))
    return found


def normalized(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
