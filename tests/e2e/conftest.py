"""A whole local cloud for the end-to-end tests: synthetic customers, a trained release, `ebb up --detach`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.supervisor.state import State, running_state

ROOT = Path(__file__).resolve().parents[2]
ROWS = 4_000


@dataclass
class Home:
    """A folder in which `ebb` is typed, with a state folder of its own."""

    folder: Path

    def ebb(self, *arguments: str, timeout: float = 170) -> subprocess.CompletedProcess[str]:
        """Run one command as a user would, and return what it printed."""
        environment = {**os.environ, "EBB_HOME": str(self.folder / ".ebb"), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "local.cli", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Run one command that must succeed, and return its JSON."""
        done = self.ebb(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ok(self, *arguments: str) -> str:
        """Run one command that must succeed, and return its output."""
        done = self.ebb(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def state(self) -> State:
        """What is up here."""
        state = running_state(self.folder / ".ebb")
        assert state is not None
        return state


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with customers and a release trained on them."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.ok("synthesize", "--rows", str(ROWS), "--out", "data")
    contract = str(ROOT / "training/contracts/synthetic.toml")
    home.ok("train", "--contract", contract, "--data", "data/customers.parquet", "--out", "releases")
    return home


@pytest.fixture(scope="session")
def cloud(trained: Home) -> Iterator[Home]:
    """The same home with its local cloud up and the customers' features loaded."""
    trained.ok("up", "--data", "data/customers.parquet", "--port", "0", "--detach")
    yield trained
    assert trained.ebb("down").returncode == 0
