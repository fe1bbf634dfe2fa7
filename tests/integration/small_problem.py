"""The smallest problem that trains: two numbers, one of which tells; for tests of what `ebb train` is handed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local.cli import run

NAME = "small"
ROWS = 600
_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_CONTRACT = """\
name = "small"
description = "Whose first number is high"
{top}
[entity]
column = "id"

[label]
column = "y"
positive = "1"
window_days = 30

[decision]
action_cost = 1
retained_value = 10
success_rate = 0.5
currency = "EUR"

[gates]
min_auc = 0.6
max_calibration_error = 0.3
max_fairness_gap = 0.9

[rules]
base = 0.3

[[features]]
name = "a"
kind = "number"

[[features]]
name = "b"
kind = "number"
{features}"""
BY_MOMENT = '[event_time]\ncolumn = "t"\n'
BY_TIME = f'folds = "temporal"\n{BY_MOMENT}'
PROTECTED = '\n[[features]]\nname = "g"\nkind = "category"\nprotected = true\n'


@dataclass(frozen=True)
class Problem:
    """A folder with a contract and a table.

    Attributes:
        folder: of both, and of the releases.
    """

    folder: Path

    @property
    def releases(self) -> Path:
        """Where its releases go."""
        return self.folder / "releases"

    @property
    def words(self) -> list[str]:
        """The command that trains on it, one candidate only."""
        contract, data = self.folder / "contract.toml", self.folder / "data.parquet"
        return ["train", "--contract", str(contract), "--data", str(data), "--out", str(self.releases), "--no-cheap"]

    def train(self, *options: str) -> int:
        """Train by the command, in this process; return its exit code."""
        budgets = {"--seconds", "--trials", "--dollars"}
        return run([*self.words, *options, *([] if budgets & set(options) else ["--trials", "1"])])


def columns(rows: int = ROWS, seed: int = 0, **others: Any) -> dict[str, Any]:
    """Return a table whose label follows `a`."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows)).round(3)
    y = (random.random(rows) < 1 / (1 + np.exp(-2 * a))).astype(int)
    return {"id": [f"e{i}" for i in range(rows)], "a": a, "b": b, "y": y, **others}


def days(after: np.ndarray) -> pa.Array:
    """Return moments, days after the beginning of 2025."""
    return pa.array([_BEGAN + timedelta(days=float(day)) for day in after])


def problem(folder: Path, table: dict[str, Any], *, top: str = "", features: str = "") -> Problem:
    """Write a problem."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.toml").write_text(_CONTRACT.format(top=top, features=features))
    pq.write_table(pa.table(table), folder / "data.parquet")
    return Problem(folder)


def refused(told: pytest.CaptureFixture[str]) -> str:
    """Return the sentence of a refusal, the progress bars left out, and check that it is one."""
    text = told.readouterr().err
    assert "Traceback" not in text
    sentences = [line for line in text.splitlines() if line.startswith("ebb: ")]
    assert len(sentences) == 1, text
    return sentences[0]
