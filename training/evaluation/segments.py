"""The same figures for parts of the rows: each category, and each quarter of a number."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract, Feature
from training.evaluation.calibration import log_losses
from training.evaluation.fairness import Answers
from training.evaluation.groups import Grouping, grouping
from training.evaluation.model import Segment
from training.evaluation.money import earned
from training.evaluation.ranking import Ranked, auc_of
from training.evaluation.resample import Resampler
from training.fit.coded import Coded

_MOST_FEATURES, _MOST_GROUPS = 10, 6


class Segments:
    """The parts of N rows that are looked at: of the most important features, those with enough rows.

    Args:
        contract: names the features and says how many rows are enough.
        coded: N rows.
        importance: of each feature, in the order of `contract.numbers` and then `contract.categories`; None takes
            the contract's own order.
    """

    def __init__(self, contract: Contract, coded: Coded, importance: NDArray[np.float64] | None = None) -> None:
        chosen = most_important(contract, importance, _MOST_FEATURES)
        self.groupings: list[tuple[Feature, Grouping, NDArray[np.intp]]] = []
        for feature in chosen:
            groups = grouping(contract, coded, feature)
            rows = groups.rows
            largest = np.argsort(-rows, kind="stable")[:_MOST_GROUPS]
            kept = np.sort(largest[rows[largest] >= contract.gates.smallest_group])
            if len(kept) > 1:  # one group is the whole table
                self.groupings.append((feature, groups, kept))


def most_important(contract: Contract, importance: NDArray[np.float64] | None, most: int) -> list[Feature]:
    """Return at most so many features, the most important first; protected ones are never left out.

    Args:
        contract: names them.
        importance: as in `Segments`.
        most: how many, not counting protected ones.
    """
    columns = [*contract.numbers, *contract.categories]
    if importance is None:
        ordered = list(contract.features)
    else:
        ordered = [columns[j] for j in np.argsort(-importance, kind="stable").tolist()]
    return [feature for j, feature in enumerate(ordered) if j < most or feature.protected]


def segment_table(
    contract: Contract, segments: Segments, answers: Answers, ranked: Ranked, resampler: Resampler
) -> tuple[Segment, ...]:
    """Return the figures of every segment of N rows."""
    columns: dict[str, NDArray[Any]] = {
        "labels": answers.labels,
        "told": answers.probabilities,
        "acted": answers.acted,
        "earned": np.where(answers.acted, earned(contract.decision, answers.labels), 0.0),
        "lost": log_losses(answers.probabilities, answers.labels),
    }
    found: list[Segment] = []
    for feature, groups, kept in segments.groupings:
        codes = groups.only(kept)
        aucs = _aucs(codes, len(kept), answers.labels, ranked)
        names = [groups.names[g] for g in kept.tolist()]
        found += _measured(feature.name, names, codes, columns, aucs=aucs, resampler=resampler)
    return tuple(found)


def _measured(
    feature: str,
    names: list[str],
    codes: NDArray[np.int64],
    columns: Mapping[str, NDArray[Any]],
    *,
    aucs: NDArray[np.float64],
    resampler: Resampler,
) -> list[Segment]:
    count = len(names)
    blocks = {name: resampler.by_block(codes, count, column) for name, column in columns.items()}
    sized = resampler.by_block(codes, count)
    rows, sums = sized.sum(axis=0), {name: block.sum(axis=0) for name, block in blocks.items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = {name: resampler.weights @ block / (resampler.weights @ sized) for name, block in blocks.items()}
    means = {name: total / rows for name, total in sums.items()}
    off, offs = means["told"] - means["labels"], drawn["told"] - drawn["labels"]
    return [
        Segment(
            feature=feature,
            name=name,
            rows=int(rows[j]),
            positives=float(means["labels"][j]),
            auc=None if np.isnan(aucs[j]) else float(aucs[j]),
            mean_probability=float(means["told"][j]),
            calibration=resampler.measured(float(off[j]), offs[:, j], -1, 1),
            acted_on=float(means["acted"][j]),
            profit=resampler.measured(float(means["earned"][j]), drawn["earned"][:, j]),
            log_loss=resampler.measured(float(means["lost"][j]), drawn["lost"][:, j], 0),
        )
        for j, name in enumerate(names)
    ]


def _aucs(codes: NDArray[np.int64], groups: int, labels: NDArray[np.int8], ranked: Ranked) -> NDArray[np.float64]:
    """Return the AUC within each group, from answers in 256 bins; NaN where a class is absent."""
    bins, inside = len(ranked.least), codes >= 0
    cell = (codes[inside] * bins + ranked.place[inside]) * 2 + labels[inside]
    counts = np.bincount(cell, minlength=groups * bins * 2).reshape(groups, bins, 2).astype(np.float64)
    return auc_of(counts.sum(axis=2), counts[:, :, 1])
