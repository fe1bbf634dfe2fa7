"""Real servers for the tests of this folder: one each for a test session (or xdist worker), on free ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from tests.integration.supervised import TinyCloud


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Start an empty Postgres; a test that writes keeps to tables of its own."""
    server = Postgres.start(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Start an empty Valkey; a test that writes keeps to keys of its own."""
    server = Valkey.start(tmp_path_factory.mktemp("valkey"))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def tiny_cloud(tmp_path: Path) -> Iterator[TinyCloud]:
    """A supervisor to start, kill and interrupt; nothing of it outlives the test."""
    cloud = TinyCloud(tmp_path)
    try:
        yield cloud
    finally:
        cloud.end()
