"""Real servers for the tests of this folder: one each for a test session (or xdist worker), on free ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.home import ROOT
from tests.integration.package_case import build_all, copy_checkout, needs_this_system
from tests.integration.supervised import TinyCloud


@pytest.fixture
def tiny_cloud(tmp_path: Path) -> Iterator[TinyCloud]:
    """A supervisor to start, kill and interrupt; nothing of it outlives the test."""
    cloud = TinyCloud(tmp_path)
    try:
        yield cloud
    finally:
        cloud.end()


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which everything is packed for this machine's processor; what a synth reads besides is linked."""
    needs_this_system()
    root = copy_checkout(tmp_path_factory.mktemp("packed") / "checkout")
    build_all(root)
    for part in ("cdk.json", "requirements", "training"):
        (root / part).symlink_to(ROOT / part)
    return root
