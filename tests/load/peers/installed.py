"""Each peer in an environment of its own under `.tools/peers`, from its lock in `requirements/peers`."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ebb.errors import Unavailable
from tests.home import ROOT

LOCKS = ROOT / "requirements" / "peers"
HOME = ROOT / ".tools" / "peers"
_STAMP = ".lock"
_SECONDS = 600.0


def python_of(name: str) -> Path:
    """Return the Python of one peer, installing what its lock names where that is not there yet.

    Raises:
        Unavailable: it cannot be installed; the sentence carries the installer's last words.
    """
    lock, folder = LOCKS / f"{name}.txt", HOME / name
    stamp = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    python = folder / "bin" / "python"
    if _content(folder / _STAMP) == stamp and python.exists():
        return python
    uv = _uv()
    _run(uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder))
    # The project's own environment must not be taken for the peer's.
    install = (uv, "pip", "install", "-q", "--python", str(python), "--compile-bytecode", "--only-binary", ":all:")
    _run(*install, "--require-hashes", "-r", str(lock))
    (folder / _STAMP).write_text(stamp)
    return python


def version_of(name: str, package: str) -> str:
    """Return the version of a package that a peer's lock names.

    Raises:
        Unavailable: the lock does not name it.
    """
    for line in (LOCKS / f"{name}.txt").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.removeprefix(f"{package}==").split()[0]
    raise Unavailable(f"the lock of {name} names no {package}: resolve it anew with `make lock`")


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _uv() -> str:
    """Return uv: on PATH, or where `local/setup.sh` keeps it, brought there where it is in neither place."""
    tools = ROOT / ".tools"
    kept = tools / "bin" / "uv"
    found = shutil.which("uv") or (str(kept) if kept.exists() else None)
    if found is None:
        _run(sys.executable, "-m", "venv", str(tools))
        _run(str(tools / "bin" / "python"), "-m", "pip", "install", "-qq", "uv>=0.8")
    return found or str(kept)


def _run(*command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS, env=environment)
    if done.returncode:
        said = " ".join(done.stderr.split()[-40:])
        raise Unavailable(f"{Path(command[0]).name} could not install a peer ({said}): is PyPI within reach?")
