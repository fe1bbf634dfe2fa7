"""Where a release comes from: the code's commit and the libraries that made it."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("ebb", "numpy", "scipy", "scikit-learn", "lightgbm", "onnx", "onnxruntime", "mlflow")
_SECONDS = 10


def git_commit() -> str:
    """Return the commit of this code; empty outside a repository or without git."""
    here = Path(__file__).parent
    try:
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a release."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
