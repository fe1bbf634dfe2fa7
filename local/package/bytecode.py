"""Bytecode inside the archives: compiled by Lambda's own Python, and never compared with its source again.

Lambda unpacks with other times than the sources had, so bytecode that names a time would be thrown away and a cold
start would compile everything (1.3 s of imports instead of 0.4). Files of PEP 552's kind `unchecked-hash` are loaded
as they are. Compilation runs inside the folder, so that no path of this machine gets into them.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cdk.archives import PYTHON
from ebb.errors import Unavailable
from local.package.started import find, run

_COMPILE = ("-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash", ".")
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore", "LC_ALL": "C"}
"""Sets are stored in the order of their hashes."""

_ASK = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def compile_folder(folder: Path, python: Path) -> None:
    """Compile every module below a folder.

    Args:
        folder: an existing folder without bytecode.
        python: see `find_python`.

    Raises:
        Unavailable: a module could not be compiled; names it.
    """
    command = (python, "-S", "-s", "-P", *_COMPILE)
    run(f"{python} could not compile", command, _ENVIRONMENT, folder, "a wheel or a source is broken")


def find_python() -> Path:
    """Return Lambda's Python as local/setup.sh looks for it: on PATH, then in ~/.pyenv; before both, this one.

    Raises:
        Unavailable: there is none.
    """
    for candidate in _candidates():
        if _is_it(candidate):
            return candidate
    raise Unavailable(
        f"Python {PYTHON} was not found on PATH or in ~/.pyenv: the archives' bytecode must come from the version that "
        f"Lambda runs, and none of them was packed; install it (`uv python install {PYTHON}`, or pyenv) and run "
        "`ebb package` again"
    )


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    on_path = find(f"python{PYTHON}")
    if on_path:
        yield on_path
    yield from sorted((Path.home() / ".pyenv/versions").glob(f"{PYTHON}*/bin/python{PYTHON}"))
    yield from sorted((Path.home() / ".local/share/uv/python").glob(f"cpython-{PYTHON}*/bin/python{PYTHON}"))


def _is_it(python: Path) -> bool:
    """Say whether it runs (a pyenv shim can be dead) and is CPython of that version."""
    try:
        done = subprocess.run([python, "-I", "-S", "-c", _ASK], capture_output=True, timeout=30, check=False, text=True)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() == [PYTHON, "cpython"]
