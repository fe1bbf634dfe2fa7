"""What a model card tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ebb.contract.model import Contract
from training.labelled import Labelled


@dataclass(frozen=True)
class Table:
    """What a release learned from.

    Attributes:
        sha256: of the accepted content.
        rows: all of them, also those that were never held out.
        class_rate: share of positive labels of all rows.
        entities: that the rows are of.
        first, last: the earliest and the latest moment, epoch seconds; None where the contract names no event time.
        missing: share of missing values by feature, 0 to 1; features that are not named are not known.
    """

    sha256: str
    rows: int
    class_rate: float
    entities: int
    first: float | None = None
    last: float | None = None
    missing: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """All that a card tells; the same story gives the same bytes.

    Attributes:
        contract: of the release.
        contract_sha256: of its file.
        version: of the release.
        table: what it learned from.
        metrics: as in `metrics.json`.
        git_commit: of the code that made it; empty where there is none.
        libraries: versions by package.
    """

    contract: Contract
    contract_sha256: str
    version: str
    table: Table
    metrics: Mapping[str, Any]
    git_commit: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)


def table_of(contract: Contract, data: Labelled) -> Table:
    """Return what is told of N labelled rows."""
    rows = len(data.labels)
    times = data.times if data.times is not None and len(data.times) else None
    shares = np.concatenate(
        [
            np.isnan(data.inputs.numbers).mean(axis=0),
            (data.inputs.categories == "").mean(axis=0).astype(np.float64),
        ]
    )
    names = [feature.name for feature in (*contract.numbers, *contract.categories)]
    return Table(
        sha256=data.sha256,
        rows=rows,
        class_rate=float(data.labels.mean()),
        entities=rows if data.groups is None else len(np.unique(data.groups)),
        first=None if times is None else float(np.min(times)),
        last=None if times is None else float(np.max(times)),
        missing=dict(zip(names, shares.tolist(), strict=True)),
    )
