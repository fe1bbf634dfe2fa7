"""What a model card tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ebb.contract.model import Contract
from ebb.release.reference import Reference
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


def table_of(data: Labelled, reference: Reference) -> Table:
    """Return what is told of labelled rows and of the reference statistics that were made of them."""
    rows = len(data.labels)
    times = data.times if data.times is not None and len(data.times) else None
    return Table(
        sha256=data.sha256,
        rows=rows,
        class_rate=reference.class_rate,
        entities=rows if data.groups is None else int(np.max(data.groups)) + 1,
        first=None if times is None else float(np.min(times)),
        last=None if times is None else float(np.max(times)),
        missing={name: told["missing"] / rows for name, told in reference.features.items()},
    )
