"""A folder in which `ebb` is typed: what the end-to-end, chaos and load tests drive."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.supervisor.state import State, running_state

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Home:
    """A folder in which `ebb` is typed, with a state folder of its own."""

    folder: Path
    state_folder: Path | None = None

    @property
    def state_home(self) -> Path:
        """Where `ebb` keeps its state: EBB_HOME."""
        return self.state_folder or self.folder / ".ebb"

    def ebb(self, *arguments: str, timeout: float = 170) -> subprocess.CompletedProcess[str]:
        """Run one command as a user would, and return what it printed."""
        environment = {**os.environ, "EBB_HOME": str(self.state_home), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "local.entry", *arguments],
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
        state = running_state(self.state_home)
        assert state is not None
        return state
