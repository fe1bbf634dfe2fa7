"""boto3 stays out of whatever runs in a function, and botocore out of what names nothing of AWS."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.home import ROOT

SIGNS = "layers/ebb/ebb/aws/signing.py"


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level packages that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def modules() -> list[Path]:
    return [path for folder in ("layers/ebb/ebb", "lambdas") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_function_imports_boto3() -> None:
    found = modules()
    assert len(found) > 100
    assert [path for path in found if set(imported(path)) & {"boto3", "s3transfer", "urllib3", "requests"}] == []


def test_one_module_alone_imports_botocore() -> None:
    assert [path.relative_to(ROOT).as_posix() for path in modules() if "botocore" in set(imported(path))] == [SIGNS]


def test_folders_and_passwords_load_nothing_of_aws() -> None:
    probe = """
import sys
from pathlib import Path
from ebb.cloud import Cloud
cloud = Cloud({})
cloud.releases(Path("releases")), cloud.routing(Path("routing"), 1.0)
print(*sorted(name for name in sys.modules if name.startswith(("ebb.aws", "ebb.s3", "botocore", "boto3"))))
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
