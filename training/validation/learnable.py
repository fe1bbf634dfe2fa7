"""What a table that its contract accepts may still make a bad model of."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract, Feature
from training.dataset import Dataset
from training.dataset.texts import as_texts
from training.describe.single import LEAK_AUC, judged_rows, single_auc
from training.validation.finding import CRITICAL, WARNING, Finding

_LEAST_OF_A_CLASS = 50
_LEAST_RATE = 0.005
_MOST_MISSING = 0.9
_MANY_CATEGORIES = 1_000


def validate(contract: Contract, dataset: Dataset, source: str) -> list[Finding]:
    """Look beyond acceptance: columns that say nothing, say too much, or are too few.

    Args:
        contract: what the data was accepted by.
        dataset: the accepted data; its labels may be absent.
        source: the table's name for people.

    Returns:
        What was found, the critical first.
    """
    findings: list[Finding] = []
    rows = judged_rows(dataset.rows)
    labels = None if dataset.labels is None else dataset.labels[rows]
    if dataset.labels is not None:
        findings.extend(_classes(contract, dataset.labels, source))
    for i, feature in enumerate(contract.numbers):
        values = dataset.inputs.numbers[:, i]
        missing = np.isnan(values)
        findings.extend(_column(feature, missing, len(np.unique(values[~missing]))))
        findings.extend(_leak(feature, values[rows].astype(np.float64), labels))
    for i, feature in enumerate(contract.categories):
        texts = as_texts(pa.chunked_array([pa.array(dataset.inputs.categories[:, i], pa.large_string())]))
        different = len(texts.distinct) - 1
        findings.extend(_column(feature, texts.missing, different))
        findings.extend(_categories(feature, different))
        findings.extend(_leak(feature, texts.codes[rows], labels))
    return sorted(findings, key=lambda finding: finding.severity != CRITICAL)


def _classes(contract: Contract, labels: NDArray[np.int8], source: str) -> Iterator[Finding]:
    column = contract.label.column
    positives = int(labels.sum())
    for name, count in (("positive", positives), ("negative", len(labels) - positives)):
        if count < _LEAST_OF_A_CLASS:
            yield Finding(
                CRITICAL,
                column,
                f"has only {count} {name} rows in {source}, but at least {_LEAST_OF_A_CLASS} are needed to learn "
                "from and to judge by: bring more rows",
                count,
            )
    if positives < _LEAST_RATE * len(labels):
        yield Finding(
            WARNING,
            column,
            f"is positive in only {positives / len(labels):.2%} of the rows: expect wide errors",
            positives,
        )


def _column(feature: Feature, missing: NDArray[np.bool_], different: int) -> Iterator[Finding]:
    absent = int(missing.sum())
    if different == 0:
        yield Finding(CRITICAL, feature.column, "is missing in every row: remove it from the contract", absent)
    elif different == 1 and not absent:
        yield Finding(WARNING, feature.column, "holds the same value in every row and adds nothing", len(missing))
    elif absent > _MOST_MISSING * len(missing):
        yield Finding(
            WARNING,
            feature.column,
            f"is missing in {absent / len(missing):.1%} of the rows: is it worth its upkeep?",
            absent,
        )


def _categories(feature: Feature, different: int) -> Iterator[Finding]:
    if different >= _MANY_CATEGORIES:
        yield Finding(
            WARNING, feature.column, f"has {different:,} categories, which are learned poorly: group them", different
        )


def _leak(feature: Feature, values: NDArray[Any], labels: NDArray[np.int8] | None) -> Iterator[Finding]:
    if labels is None or not 0 < int(labels.sum()) < len(labels):
        return
    found = single_auc(values, labels)
    if found > LEAK_AUC:
        yield Finding(
            WARNING,
            feature.column,
            f"alone predicts the label (out-of-fold AUC {found:.3f}); leak? Remove it unless known before the outcome",
            len(labels),
        )
