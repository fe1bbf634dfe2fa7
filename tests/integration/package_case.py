"""A checkout to pack from, and what Lambda would make of its archives: unpacked layers and functions, and a run."""

import ast
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cdk.archives import ARM64, LAYERS, X86_64, made_of, names, packed
from ebb.errors import Unavailable
from local.package.build import Built, build
from local.package.bytecode import find_python
from tests.home import ROOT
from training.progress import Silent

HERE = ARM64 if platform.machine() in {"aarch64", "arm64"} else X86_64
"""The processor that this machine can run."""

IN_LAMBDA = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What Lambda's own runtime brings: https://docs.aws.amazon.com/lambda/latest/dg/python-package.html"""

NOT_SHIPPED = ("awslambdaric", "httpx")
"""Lambda's runtime is the first; the client alone needs the second, and no function imports the client."""

PROGRAM = Path(__file__).with_name("shipped_calls.py")


def python() -> Path:
    """Return Lambda's Python; without it nothing can be proved, which is said loudly."""
    try:
        return find_python()
    except Unavailable as error:
        pytest.skip(f"PYTHON 3.13 ABSENT: {error}")


def needs_this_system() -> None:
    """Skip loudly where Linux's wheels cannot run."""
    if sys.platform != "linux":
        pytest.skip("NOT LINUX: what is packed for Lambda cannot run here, nothing was proved")


def copy_checkout(folder: Path, source: Path = ROOT) -> Path:
    """Copy what packing reads, without anything that a run left there, and lend it uv."""
    folder.mkdir(parents=True)
    left = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    for part in ("lambdas", "layers", "local/package"):
        shutil.copytree(source / part, folder / part, ignore=left)
    (folder / ".tools").symlink_to(ROOT / ".tools")
    return folder


def build_all(root: Path, architecture: str = HERE) -> Built:
    """Pack everything of a checkout; a registry that cannot be reached fails with its sentence."""
    python()
    try:
        return build(root, architecture, Silent())
    except Unavailable as error:
        pytest.fail(str(error), pytrace=False)


@dataclass(frozen=True)
class Shipped:
    """Archives as Lambda unpacks them.

    Attributes:
        folder: `opt` holds the layers, `task/<name>` each function, `lambda` what the runtime brings.
    """

    folder: Path

    @classmethod
    def unpack(cls, root: Path, folder: Path, architecture: str = HERE) -> "Shipped":
        """Unpack every archive, and lend the runtime's packages out of this environment."""
        for name in names(root):
            place = folder / "opt" if name in LAYERS else folder / "task" / name
            path = packed(root, name, architecture)
            assert path is not None, f"{name} is not fresh"
            with zipfile.ZipFile(path) as archive:
                archive.extractall(place)
        runtime = folder / "lambda"
        runtime.mkdir()
        for package in IN_LAMBDA:
            spec = find_spec(package)
            assert spec is not None
            assert spec.origin is not None
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (runtime / source.name).symlink_to(source)
        return cls(folder)

    def spoil_sources(self) -> int:
        """Let every shipped source fail where it is run, and return how many there are.

        They can still be read: anyio reads its own to learn what it offers.
        """
        spoiled = [path for place in ("opt", "task") for path in (self.folder / place).rglob("*.py")]
        for path in spoiled:
            with path.open("a") as source:
                source.write("\nraise SystemError('this was compiled, and not loaded from its bytecode')\n")
        return len(spoiled)

    def files(self) -> dict[str, int]:
        """Return every file with the time of its last change."""
        return {str(path): path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.is_file()}

    def run(
        self,
        function: str,
        environment: Mapping[str, str],
        events: Sequence[Any] = (),
        imports: Sequence[tuple[str, str]] = (),
    ) -> dict[str, Any]:
        """Let Lambda's Python load a function from its archive, and its layers, and nothing else of this machine.

        Args:
            function: its name.
            environment: all of its variables.
            events: to be handled, one after the other.
            imports: modules and names in them that must be there.

        Returns:
            `answers`, `compiled` (shipped modules without bytecode) and `elsewhere` (modules that were not shipped).
        """
        path = [self.folder / "task" / function, self.folder / "opt/python", self.folder / "lambda"]
        asked = {"path": [str(each) for each in path], "function": function, "events": events, "imports": imports}
        told = self.folder.with_name(f"{self.folder.name}-told.json")
        done = subprocess.run(
            [python(), "-I", "-S", PROGRAM, told],
            input=json.dumps(asked),
            env={"LANG": "C.UTF-8", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": function, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        answer: dict[str, Any] = json.loads(told.read_bytes())
        return answer


def imports_of(root: Path, function: str) -> list[tuple[str, str]]:
    """Return all that a function's modules and those of `ebb` import, wherever in them, and the modules themselves."""
    files = [*made_of(root, "ebb").files.items(), *made_of(root, function).files.items()]
    found: set[tuple[str, str]] = set()
    for inside, path in files:
        if path.suffix == ".py" and "/ebb/client/" not in inside:
            module = inside.removeprefix("python/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            found.add((module, ""))
            found.update(_imports(ast.parse(path.read_text())))
    return sorted(pair for pair in found if pair[0].split(".")[0] not in NOT_SHIPPED)


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def with_other_habits(root: Path) -> None:
    """Give every file of a checkout other times and rights than it has."""
    for path in root.rglob("*"):
        if path.is_file() and ".tools" not in path.parts:
            path.chmod(0o600)
            os.utime(path, (1_234_567_890, 1_234_567_890))
