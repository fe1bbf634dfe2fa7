"""Real servers for the tests of this folder: one each for a test session (or xdist worker), on free ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.supervised import TinyCloud


@pytest.fixture
def tiny_cloud(tmp_path: Path) -> Iterator[TinyCloud]:
    """A supervisor to start, kill and interrupt; nothing of it outlives the test."""
    cloud = TinyCloud(tmp_path)
    try:
        yield cloud
    finally:
        cloud.end()
