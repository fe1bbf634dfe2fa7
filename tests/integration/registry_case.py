"""Drafts of small releases, and what store and registry say of them: for tests of the registry."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient

from ebb.folder import FolderReleases
from ebb.release.manifest import MANIFEST
from tests.fakes.releases import tiny_metrics, tiny_release
from training.draft import Draft

NAME = "tiny"


def draft(bias: float) -> Draft:
    files = {name: content for name, content in tiny_release(bias).items() if name != MANIFEST}
    return Draft(NAME, "a" * 64, files, {"leaves": 8}, tiny_metrics())


def aliases(uri: str) -> dict[str, str]:
    """Return release by alias."""
    client = MlflowClient(uri, uri)
    found = client.get_registered_model(NAME).aliases
    return {alias: client.get_model_version(NAME, str(n)).tags["ebb.release"] for alias, n in found.items()}


def roles(releases: Path) -> dict[str, str]:
    store = FolderReleases(releases)
    told = {role: getattr(store, role)(NAME) for role in ("champion", "previous", "challenger")}
    return {role: version for role, version in told.items() if version}


@contextmanager
def nobody() -> Iterator[str]:
    """Lend an address at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else gets it
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def full(_: int) -> None:
    """Stand in for `os.fsync` on a disk that is full.

    Raises:
        OSError: always.
    """
    raise OSError(28, "No space left on device")
