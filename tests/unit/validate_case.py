"""A contract with a feature of every kind, and tables that fit it or do not."""

from typing import Any

import numpy as np
import pyarrow as pa

from ebb.contract import Contract
from tests.fakes.made_contracts import contract_of

NOW = 1_700_000_000.0
DAY = 86_400.0
FEATURES = (
    'name = "n"; kind = "number"; min = 0; max = 1; missing = true',
    'name = "i"; kind = "integer"; min = 0',
    'name = "f"; kind = "flag"; missing = true',
    'name = "k"; kind = "category"; categories = ["a", "b"]; unseen = "refuse"; missing = true',
    'name = "l"; kind = "category"; categories = ["a", "b"]',
    'name = "t"; kind = "number"; missing = true; max_age = "30d"',
)


def made_contract(*, event_time: str | None = "at") -> Contract:
    return contract_of(*FEATURES, entity="id", event_time=event_time)


def good(rows: int = 2_000, seed: int = 1) -> dict[str, Any]:
    """Return the columns of a table in which nothing is to be found."""
    random = np.random.default_rng(seed)
    moments = (NOW - random.uniform(35 * DAY, 55 * DAY, rows)).round()
    return {
        "id": [f"e{i % (rows // 2)}" for i in range(rows)],
        "at": pa.array((moments * 1e6).astype(np.int64) + np.arange(rows), pa.timestamp("us")),
        "n": [
            None if hidden else float(value)
            for hidden, value in zip(random.random(rows) < 0.1, random.random(rows), strict=True)
        ],
        "i": random.integers(0, 50, rows).astype(np.float64),
        "f": random.choice(["yes", "no", ""], rows),
        "k": random.choice(np.array(["a", "b", None], object), rows),
        "l": random.choice(["a", "b"], rows),
        "t": [str(round(value, 3)) for value in random.normal(0, 1, rows)],
        "y": (random.random(rows) < 0.3).astype(int),
    }


def spoiled() -> dict[str, Any]:
    """Return the columns of a table in which every column breaks something."""
    columns = good()
    rows = len(columns["id"])
    random = np.random.default_rng(2)
    n, i = list(columns["n"]), columns["i"].copy()
    n[5], n[9], n[11] = 1.5, -0.5, float("inf")
    i[3], i[4], i[6] = 2.5, -1.0, float("nan")
    return {
        "id": ["e1"] * 3 + [None, " "] + columns["id"][5:],
        "at": pa.array(
            [1_800_000_000_000_000, 1_695_000_000_000_000, 1_695_000_000_000_000]
            + [None if r < 6 else 1_695_000_000_000_000 + r for r in range(3, rows)],
            pa.timestamp("us"),
        ),
        "n": n,
        "i": i,
        "f": random.choice(["yes", "no", "", "maybe", "2", "1.0"], rows),
        "k": random.choice(np.array(["a", "c", " ", None, "x" * 300], object), rows),
        "l": random.choice(["a", "b", "z"], rows),
        "t": random.choice(["1.5", "+2", "n/a", "x", "1e3", " 7 ", "1_000", "0x1", "inf", ".5"], rows),
        "y": random.choice(np.array(["0", "1.0", "1", None], object), rows),
    }
