"""Statistics of the training data that travel with a release: bins, counts and the reference row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Value
from ebb.errors import ReleaseError
from ebb.features.inputs import Inputs

BINS = 10
TOP_CATEGORIES = 50


@dataclass(frozen=True)
class Reference:
    """What the training data looked like.

    Attributes:
        rows: how many there were.
        class_rate: share of positives.
        features: by name: `typical` (median, or the commonest category), `missing` and either `edges` with
            `counts` (len(edges) + 1 bins: below the first edge, between, at or above the last) or `categories`.
        score: `edges` and `counts` of the probabilities on the training data.
    """

    rows: int
    class_rate: float
    features: Mapping[str, Mapping[str, Any]]
    score: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the JSON text."""
        return (json.dumps(self.__dict__, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    @staticmethod
    def from_bytes(content: bytes) -> "Reference":
        """Read what `to_bytes` wrote.

        Raises:
            ReleaseError: it is not what Ebb writes.
        """
        try:
            return Reference(**json.loads(content))
        except (ValueError, TypeError, RecursionError):
            raise ReleaseError("the reference statistics cannot be read: they are not what Ebb writes") from None

    def typical(self, contract: Contract) -> dict[str, Value]:
        """Return the reference row: raw typical values by feature."""
        return {f.name: self.features[f.name]["typical"] for f in contract.features}


def make_reference(
    contract: Contract, inputs: Inputs, labels: NDArray[np.int8], scores: NDArray[np.float32]
) -> Reference:
    """Summarise the training data.

    Args:
        contract: the contract the inputs follow.
        inputs: N rows.
        labels: 0 or 1, [N].
        scores: probabilities of the served graph on the same rows, [N].
    """
    features: dict[str, dict[str, Any]] = {}
    for j, feature in enumerate(contract.numbers):
        features[feature.name] = _numbers(inputs.numbers[:, j].astype(np.float64))
    for j, feature in enumerate(contract.categories):
        features[feature.name] = _categories(inputs.categories[:, j])
    return Reference(len(labels), float(np.mean(labels)), features, _histogram(scores.astype(np.float64)))


def _numbers(column: NDArray[np.float64]) -> dict[str, Any]:
    known = column[~np.isnan(column)]
    # The shortest text of the float32: 0.7 and not 0.699999988, which a range from 0.7 on would refuse.
    typical = float(str(np.float32(np.median(known)))) if len(known) else None
    if len(known) and np.all(known == np.floor(known)):
        typical = float(np.floor(np.median(known)))
    return {**_histogram(known), "missing": int(len(column) - len(known)), "typical": typical}


def _histogram(known: NDArray[np.float64]) -> dict[str, Any]:
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.array([])
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _categories(column: NDArray[Any]) -> dict[str, Any]:
    names, counts = np.unique(column.astype(str), return_counts=True)
    by_count = sorted(zip(names.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    known = [(name, count) for name, count in by_count if name]
    missing = sum(count for name, count in by_count if not name)
    top = dict(known[:TOP_CATEGORIES])
    other = sum(count for _, count in known[TOP_CATEGORIES:])
    return {"categories": top, "other": other, "missing": missing, "typical": known[0][0] if known else None}
