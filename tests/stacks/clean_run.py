"""Synth as the CDK CLI starts it, in a copy of the checkout and in surroundings of one's own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.home import ROOT
from tests.stacks.conftest import CONTEXT, Template

READ = ("cdk", "stacks", "layers", "lambdas", "local", "training", "requirements", "cdk.json")
"""What of a checkout a synth may read; a copy has nothing else, above all no git."""
PACKED = "dist"
"""Archives, where they were packed here: what is not packed has another name."""
_SECONDS = 170

_NO_NETWORK_PYTHON = """
import socket

def refuse(*asked):
    raise RuntimeError("the network was asked for")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""
_NO_NETWORK_NODE = """
const refuse = () => { throw new Error("the network was asked for"); };
require("net").Socket.prototype.connect = refuse;
require("dns").lookup = refuse;
require("dgram").Socket.prototype.send = refuse;
"""


def copy_of_the_checkout(folder: Path) -> Path:
    """Return a copy of what a synth may read, as a fresh clone has it: without bytecode."""
    for name in READ:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    if (ROOT / PACKED).is_dir():
        shutil.copytree(ROOT / PACKED, folder / PACKED)
    return folder


def surroundings(folder: Path, *, node: bool = True) -> dict[str, str]:
    """Return an environment like no other: a home, a user and a time zone of its own, and at most Node on PATH.

    Args:
        folder: empty; the home and PATH lie there.
        node: whether PATH has the machine's Node.
    """
    home, programs = folder / "home", folder / "bin"
    home.mkdir(parents=True)
    programs.mkdir()
    found = shutil.which("node")
    if node and found:
        (programs / "node").symlink_to(Path(found).resolve())
    return {
        "HOME": str(home),
        "PATH": str(programs),
        "USER": "somebody",
        "LOGNAME": "somebody",
        "TZ": "Pacific/Kiritimati",
        "LANG": "C",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def without_network(folder: Path) -> dict[str, str]:
    """Return variables under which Python and Node raise an error as soon as one of them asks for the network."""
    folder.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(_NO_NETWORK_PYTHON)
    (folder / "refuse.cjs").write_text(_NO_NETWORK_NODE)
    return {"PYTHONPATH": str(folder), "NODE_OPTIONS": f"--require {folder / 'refuse.cjs'}"}


def synth(stage: str, out: Path, root: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `cdk.app` as the CDK CLI does, which says by two variables what it wants and where.

    Args:
        stage: by name.
        out: the folder for the templates.
        root: the checkout.
        environment: everything that the process knows of the machine.
    """
    asked = {"CDK_CONTEXT_JSON": json.dumps({**CONTEXT, "stage": stage}), "CDK_OUTDIR": str(out)}
    return subprocess.run(
        [sys.executable, "-m", "cdk.app"],
        cwd=root,
        env={**environment, **asked},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def templates_in(out: Path) -> dict[str, Template]:
    """Return what came out, by the stacks' names without the stage's."""
    return {
        path.name.removesuffix(".template.json").split("-", 2)[2]: json.loads(path.read_text())
        for path in out.glob("*.template.json")
    }


def whole(templates: Mapping[str, Mapping[str, Template]], stage: str) -> dict[str, Template]:
    """Return a stage's templates in all its regions, named as in `templates_in`."""
    return {
        f"{place}-{short}".removeprefix(f"{stage}-"): template
        for place, stacks in templates.items()
        if place == stage or place.startswith(f"{stage}-")
        for short, template in stacks.items()
    }


def inherited() -> dict[str, str]:
    """Return this process's surroundings, without what the tests chose for themselves."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CDK_", "JSII_"))}
