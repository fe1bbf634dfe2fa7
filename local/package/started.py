"""Programs that packing runs and waits for; a failure becomes a sentence."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ebb.errors import Unavailable
from local.servers.child import start_child

_SECONDS = 900.0
_DRAWN = " \u00d7\u2502\u2570\u251c\u2500\u25b6-"
"""What uv draws around its lines."""

_LOGIN = re.compile(r"//[^/@\s]+@")


def run(what: str, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path, advice: str) -> None:
    """Run a program to its end.

    Args:
        what: it does, for the sentence: "the wheels of X could not be had".
        command: absolute path of the program, then its arguments.
        environment: all of its environment.
        folder: its working directory.
        advice: what to do when it fails.

    Raises:
        Unavailable: it failed; says so with the end of what it printed, without any login of an address in it.
    """
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        child = start_child(
            what, command, log=Path(log.name), environment=environment, folder=folder, own_session=False
        )
        try:
            child.wait(_SECONDS)
        finally:
            code = child.stop()
        if code != 0:
            raise Unavailable(f"{what}: {_told(child.output(4000)) or f'exit code {code}'}; {advice}")


def find(name: str, *places: Path) -> Path | None:
    """Return a program by its absolute path: the first of the places that can be executed, else the one on PATH."""
    for place in places:
        if os.access(place, os.X_OK):
            return place
    found = shutil.which(name)
    return Path(found).absolute() if found else None


def _told(text: str) -> str:
    """Return the last lines of a program as one sentence's part."""
    lines = [line.strip(_DRAWN) for line in _LOGIN.sub("//", text).splitlines()]
    return " ".join(line for line in lines if line)[-600:].rstrip(".")
