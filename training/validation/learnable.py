"""What no expectation on a column sees: leaks, and classes that are too small to learn from."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract, Feature
from training.dataset import Dataset
from training.dataset.texts import as_texts
from training.describe.single import LEAK_AUC, judged_rows, single_auc
from training.validation.finding import CRITICAL, WARNING, Finding
from training.validation.sentences import too_few
from training.validation.suite import LEAST_OF_A_CLASS


def judge_learnable(contract: Contract, dataset: Dataset, source: str, *, whole: bool) -> Iterator[Finding]:
    """Look at what the columns are worth together with the label.

    Args:
        contract: what the data was accepted by.
        dataset: the accepted data; its labels may be absent.
        source: the table's name for people.
        whole: whether the suite judged every row, the size of the classes among them.
    """
    rows = judged_rows(dataset.rows)
    if dataset.labels is not None:
        if not whole:
            yield from _classes(contract, dataset.labels, source)
        yield from _leaks(contract, dataset, dataset.labels[rows], rows)


def _classes(contract: Contract, labels: NDArray[np.int8], source: str) -> Iterator[Finding]:
    positives = int(labels.sum())
    for name, count in (("positive", positives), ("negative", len(labels) - positives)):
        if count < LEAST_OF_A_CLASS:
            yield Finding(CRITICAL, contract.label.column, too_few(count, name, source), count)


def _leaks(contract: Contract, dataset: Dataset, labels: NDArray[np.int8], rows: NDArray[np.intp]) -> Iterator[Finding]:
    if not 0 < int(labels.sum()) < len(labels):
        return
    for i, feature in enumerate(contract.numbers):
        values = dataset.inputs.numbers[rows, i].astype(np.float64)
        yield from _leak(feature, single_auc(values, labels), len(labels))
    for i, feature in enumerate(contract.categories):
        yield from _leak(feature, single_auc(_codes(dataset.inputs.categories[rows, i])[1], labels), len(labels))


def _leak(feature: Feature, found: float, rows: int) -> Iterator[Finding]:
    if found >= LEAK_AUC:
        yield Finding(
            WARNING,
            feature.column,
            f"alone predicts the label (out-of-fold AUC {found:.3f}); leak? Remove it unless known before the outcome",
            rows,
        )


def _codes(column: NDArray[np.object_]) -> tuple[list[str], NDArray[np.int32]]:
    texts = as_texts(pa.chunked_array([pa.array(column, pa.large_string())]))
    return [str(text) for text in texts.distinct], texts.codes
