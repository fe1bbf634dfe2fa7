"""Customers who fit the small contract of `tests.fakes.contracts`."""

from typing import Any

import numpy as np


def customers(rows: int, seed: int = 0, *, spend: float = 30.0) -> dict[str, Any]:
    """Return columns with nothing to be found in them; `spend` is what they pay on average."""
    random = np.random.default_rng(seed)
    return {
        "id": [f"e{i}" for i in range(rows)],
        "tenure": random.integers(0, 100, rows),
        "Monthly  spend": random.normal(spend, 8.0, rows),
        "paperless": random.choice(["yes", "no"], rows),
        "plan": random.choice(["basic", "plus"], rows),
        "city": random.choice(["Ghent", "Oslo", "Lund"], rows),
        "left": random.choice(["yes", "no"], rows, p=[0.3, 0.7]),
    }
