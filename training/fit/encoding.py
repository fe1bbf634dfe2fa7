"""Target encoding: each category becomes the mean label of its rows, shrunk towards the mean of all.

Source: Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 2001;
the strength of the shrinkage is the empirical Bayes estimate of section 3.1. Rows that an estimator learns from are
encoded by means of other rows only (cross-fitting), so that no row's own label is in what the estimator sees.
scikit-learn's TargetEncoder gives the same values (a test compares them) at several times the cost: it sorts texts in
each fit, where here one count over codes is enough.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from training.fit.coded import Coded

INNER_FOLDS = 5


@dataclass(frozen=True)
class TargetEncoding:
    """What each category is worth.

    Attributes:
        names: texts of each category column by code.
        tables: value of each code, float64, NaN where no row had it; one array a column.
        mean: of all labels; for what was never seen.
    """

    names: tuple[tuple[str, ...], ...]
    tables: tuple[NDArray[np.float64], ...]
    mean: float

    def learned(self, column: int) -> dict[str, float]:
        """Return the value of each text that some row had, the texts sorted."""
        values = zip(self.names[column], self.tables[column].tolist(), strict=True)
        return {text: value for text, value in sorted(values) if not np.isnan(value)}

    def columns(self, coded: Coded) -> NDArray[np.float32]:
        """Return the encoded categories, float32 [N, c]; what was never seen gets the mean of all labels."""
        encoded = np.empty(coded.codes.shape, np.float32)
        for j, names in enumerate(coded.names):
            encoded[:, j] = self._table(j, names)[coded.codes[:, j]]
        return encoded

    def _table(self, column: int, names: tuple[str, ...]) -> NDArray[np.float32]:
        if names is self.names[column]:
            return np.where(np.isnan(self.tables[column]), self.mean, self.tables[column]).astype(np.float32)
        known = self._known[column]
        return np.array([known.get(text, self.mean) for text in names], np.float32)

    @cached_property
    def _known(self) -> tuple[dict[str, float], ...]:
        return tuple(self.learned(j) for j in range(len(self.names)))


def fit_encoding(coded: Coded, labels: NDArray[np.int8]) -> TargetEncoding:
    """Learn the values of all categories.

    Args:
        coded: N rows.
        labels: 0 or 1, [N].
    """
    tables = tuple(_shrunk(coded.codes[:, j], labels, len(names)) for j, names in enumerate(coded.names))
    return TargetEncoding(coded.names, tables, float(labels.mean(dtype=np.float64)))


def crossfit_encoding(
    coded: Coded, labels: NDArray[np.int8], seed: int, groups: NDArray[np.intp] | None = None
) -> NDArray[np.float32]:
    """Encode rows that an estimator is to learn from, each by rows of the other inner folds.

    Args:
        coded: N rows.
        labels: 0 or 1, [N]; at least five of each where there are no groups.
        seed: of the inner folds.
        groups: number of each row's entity, [N]; the rows of an entity share a fold. None: stratified by label.

    Returns:
        float32 [N, c].
    """
    encoded = np.empty(coded.codes.shape, np.float32)
    if not coded.names:
        return encoded
    inner = _inner_folds(labels, seed, groups)
    for k in range(INNER_FOLDS):
        held_out = inner == k
        learned = fit_encoding(coded.rows(~held_out), labels[~held_out])
        encoded[held_out] = learned.columns(coded.rows(held_out))
    return encoded


def _shrunk(codes: NDArray[np.int32], labels: NDArray[np.int8], size: int) -> NDArray[np.float64]:
    rows = np.bincount(codes, minlength=size).astype(np.float64)
    positive = np.bincount(codes, weights=labels, minlength=size)
    mean = float(labels.mean(dtype=np.float64))
    variance = mean * (1 - mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = positive / rows
        weight = variance * rows / (variance * rows + own * (1 - own))
    weight = np.where(np.isnan(weight), 0.0, weight)  # one class only: nothing to shrink by
    return np.where(rows > 0, weight * np.where(rows > 0, own, 0.0) + (1 - weight) * mean, np.nan)


def _inner_folds(labels: NDArray[np.int8], seed: int, groups: NDArray[np.intp] | None) -> NDArray[np.int8]:
    inner = np.empty(len(labels), np.int8)
    if groups is not None:
        _, place = np.unique(groups, return_inverse=True)
        entities = int(np.max(place)) + 1
        fold_of_entity = np.random.default_rng(seed).permutation(entities) % INNER_FOLDS
        return np.asarray(fold_of_entity[place], np.int8)
    split = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed).split(labels[:, None], labels)
    for k, (_, held_out) in enumerate(split):
        inner[held_out] = k
    return inner
