"""What `ebb train` costs, and how near it comes to the truth: parts of `make bench-training`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

from tests.home import ROOT
from tests.load.figures import Figure
from tests.load.watched import Watched, watch

ROWS, LARGE_ROWS, MORE = 120_000, 5_000_000, 2
SECONDS, LONG_SECONDS, LARGE_SECONDS = 60, 600, 240
ALL_SECONDS, LARGE_GB = 75.0, 24.0
WITHIN, OF_TRUTH, TRUE_AUC = 0.005, 0.95, (0.80, 0.90)
_AFTER = ("export", "parity", "evaluate", "describe", "publish", "cheap")
_GB = 1e9


@dataclass(frozen=True)
class Table:
    """A synthetic table of 32 features, its contract, and what the truth reaches on it."""

    data: Path
    contract: Path
    true_auc: float
    plain_bytes: int


def make_table(folder: Path, rows: int) -> Table:
    """Make the shipped synthetic customers with two features more that say nothing, so that there are 32."""
    watch(["synthesize", "--rows", rows, "--out", folder])
    table = pq.read_table(folder / "customers.parquet")
    random = np.random.default_rng(0)
    for j in range(MORE):
        table = table.append_column(f"noise_{j}", pa.array(random.normal(size=rows)))
    pq.write_table(table, folder / "table.parquet", compression="zstd")
    text = (ROOT / "training" / "contracts" / "synthetic.toml").read_text()
    added = "".join(f'\n[[features]]\nname = "noise_{j}"\nkind = "number"\n' for j in range(MORE))
    (folder / "contract.toml").write_text(text + added)
    truth = pq.read_table(folder / "truth.parquet")
    probability = next(name for name in truth.column_names if re.search("prob", name))
    true_auc = float(roc_auc_score(table["churned"].to_numpy(), truth[probability].to_numpy()))
    plain = sum(column.nbytes for column in table.columns)
    return Table(folder / "table.parquet", folder / "contract.toml", true_auc, plain)


def trained(table: Table, releases: Path, seconds: float) -> Watched:
    """Train within a budget."""
    words = ["train", "--contract", table.contract, "--data", table.data, "--out", releases, "--seconds", seconds]
    return watch(words)


def training_figures(folder: Path, rows: int = ROWS, seconds: float = SECONDS) -> Iterator[Figure]:
    """Train once within the promised budget, and hold time, memory and quality against what is promised."""
    table = make_table(folder, rows)
    run = trained(table, folder / "releases", seconds)
    metrics, timings = run.told["metrics"], run.told["seconds"]
    of = f"{rows:,} rows x 32 features, `ebb train --seconds {seconds:g}`"
    after = sum(timings.get(name, 0.0) for name in _AFTER)
    yield Figure("search and refit end", "s", run.seconds - after, float(seconds), f"{of}, from process start")
    yield Figure("training, everything", "s", run.seconds, seconds + ALL_SECONDS - SECONDS, f"{of}, from its start")
    yield Figure("candidates tried", "", len(metrics["search"]["trials"]), None, _states(metrics))
    limit = 1.0 + 5 * table.plain_bytes / _GB
    how = f"{of}; promised: 1 GB and 5 times {table.plain_bytes / _GB:.3f} GB of Arrow"
    yield Figure("training, most memory", "GB", run.peak / _GB, limit, how, tolerated=1.0)
    low, high = TRUE_AUC
    how = f"promised: {low} to {high}"
    yield Figure("AUC of the true probability", "", table.true_auc, low, how, at_least=True, tolerated=1.0)
    reached = (metrics["auc"] - 0.5) / (table.true_auc - 0.5)
    how = f"(AUC - 0.5) over that of the truth; AUC {metrics['auc']:.4f} of {table.true_auc:.4f}, out of fold"
    yield Figure("reached of what the truth reaches", "", reached, OF_TRUTH, how, at_least=True, tolerated=1.0)


def long_figures(folder: Path) -> Iterator[Figure]:
    """Compare the budget of a minute with that of ten."""
    table = make_table(folder, ROWS)
    short, long = (trained(table, folder / f"releases-{s}", s).told["metrics"]["auc"] for s in (SECONDS, LONG_SECONDS))
    how = f"AUC {long:.4f} with {LONG_SECONDS} s, {short:.4f} with {SECONDS} s"
    yield Figure("what ten times the budget adds", "AUC", max(0.0, long - short), WITHIN, how, tolerated=1.0)


def large_figures(folder: Path) -> Iterator[Figure]:
    """Train on five million rows."""
    table = make_table(folder, LARGE_ROWS)
    run = trained(table, folder / "releases", LARGE_SECONDS)
    of = f"{LARGE_ROWS:,} rows x 32 features, a budget of {LARGE_SECONDS} s"
    limit = min(LARGE_GB, 1.0 + 5 * table.plain_bytes / _GB)
    how = f"{of}; {table.plain_bytes / _GB:.2f} GB of Arrow with plain strings"
    yield Figure("training on five million rows, most memory", "GB", run.peak / _GB, limit, how, tolerated=1.0)
    how = f"{of}; AUC {run.told['metrics']['auc']:.4f} of {table.true_auc:.4f}"
    yield Figure("training on five million rows, everything", "s", run.seconds, None, how)


def _states(metrics: dict[str, Any]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(metrics["search"]["states"].items()))
    bought = metrics["search"]["last_tenth"]
    gained = "" if bought is None else f"; the last tenth of the budget saved {bought:.2g} of log loss"
    return f"{states}; chosen: {metrics['search']['chosen']['name']}{gained}"
