"""Which rows a model is judged on, and which it may learn from then."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ebb.contract.model import Contract
from ebb.errors import DataError

FOLDS = 5
NEVER, LEFT_OUT = -1, -2
_DAY = 86400.0


@dataclass(frozen=True)
class Folds:
    """Folds over N rows.

    Attributes:
        fold: the fold in which each row is held out, int8 [N]; -1 where it only serves to learn from, -2 where it is
            left out altogether.
        count: how many folds.
        times: epoch seconds, [N], where the folds follow time; else None.
        gap: seconds between a row's moment and its label being known; only with `times`.
        made: how many folds there were before some were given up; 0 for none given up.
    """

    fold: NDArray[np.int8]
    count: int = FOLDS
    times: NDArray[np.float64] | None = None
    gap: float = 0.0
    made: int = 0

    @property
    def of(self) -> int:
        """How many folds there were before some were given up."""
        return self.made or self.count

    @property
    def held(self) -> NDArray[np.bool_]:
        """Whether a row is held out in some fold, bool [N]."""
        return np.asarray(self.fold >= 0)

    @property
    def used(self) -> NDArray[np.bool_]:
        """Whether a row is not left out, bool [N]."""
        return np.asarray(self.fold != LEFT_OUT)

    def held_out(self, k: int) -> NDArray[np.bool_]:
        """Return the rows that judge in fold `k`, bool [N]."""
        return np.asarray(self.fold == k)

    def learned(self, k: int) -> NDArray[np.bool_]:
        """Return the rows to learn from for fold `k`, bool [N]: with times, those whose label was known by then."""
        if self.times is None:
            return np.asarray((self.fold != k) & self.used)
        return self.used & _known(self.times, float(np.min(self.times[self.fold == k])), self.gap)

    def rows(self, index: NDArray[np.intp]) -> "Folds":
        """Return the folds of these rows."""
        return replace(self, fold=self.fold[index], times=None if self.times is None else self.times[index])

    def narrowed(self, count: int, drawn: NDArray[np.bool_]) -> "Folds":
        """Return the last `count` folds, those before them only to learn from, and every row not drawn left out."""
        fold = np.maximum(self.fold.astype(np.int16) - (self.count - count), NEVER)
        return replace(self, fold=np.where(drawn, fold, LEFT_OUT).astype(np.int8), count=count, made=self.of)


def make_folds(
    contract: Contract,
    labels: NDArray[np.int8],
    seed: int,
    *,
    groups: NDArray[np.intp] | None,
    times: NDArray[np.float64] | None,
) -> Folds:
    """Make the folds that the contract asks for.

    Args:
        contract: `folds` says whether they follow time.
        labels: 0 or 1, [N].
        seed: of the shuffle of stratified folds.
        groups: number of each row's entity, [N]; all rows of an entity share a stratified fold. None: one row each.
        times: of the rows, epoch seconds [N]; None where the contract names no event time.

    Raises:
        DataError: too few rows of a class, entities or moments.
    """
    if contract.temporal and times is not None:
        return temporal_folds(times, labels, gap=contract.label.window_days * _DAY)
    return Folds(fold_of(labels, seed, groups))


def fold_of(labels: NDArray[np.int8], seed: int, groups: NDArray[np.intp] | None = None) -> NDArray[np.int8]:
    """Return the fold in which each row is held out, int8 [N], stratified by label.

    Args:
        labels: 0 or 1, [N].
        seed: of the shuffle.
        groups: number of each row's entity, [N]; all rows of an entity are held out together. None: one row each.

    Raises:
        DataError: too few rows of a class, or too few entities, to cross-validate.
    """
    fewest = int(min(np.sum(labels == 0), np.sum(labels == 1)))
    if fewest < FOLDS * 2:
        raise DataError(
            f"only {fewest} of {len(labels)} rows have the rarer label, but cross-validation needs at least "
            f"{FOLDS * 2}: bring more rows"
        )
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    if groups is not None and len(np.unique(groups)) < FOLDS * 2:
        raise DataError(f"cross-validation needs at least {FOLDS * 2} entities: bring more of them")
    fold = np.empty(len(labels), np.int8)
    split = splitter(FOLDS, shuffle=True, random_state=seed).split(labels[:, None], labels, groups)
    for k, (learned, held_out) in enumerate(split):
        fold[held_out] = k
        if min(np.sum(labels[learned] == 0), np.sum(labels[learned] == 1)) < FOLDS:
            raise DataError("too few entities hold the rows of the rarer label to cross-validate: bring more of them")
    return fold


def temporal_folds(times: NDArray[np.float64], labels: NDArray[np.int8], *, gap: float) -> Folds:
    """Cut the rows into consecutive spans of time, each judged by a model of what was known before it began.

    Rows are cut at quantiles of their moments. Spans before which no label was known yet (a label takes `gap`
    seconds to close), or which hold one class only, serve to learn from. Expanding window: Hyndman and
    Athanasopoulos, "Forecasting: principles and practice", 3rd edition 2021, section 5.10; the gap is the purging of
    Lopez de Prado, "Advances in financial machine learning", 2018, section 7.4.1.

    Args:
        times: of the rows, epoch seconds [N].
        labels: 0 or 1, [N].
        gap: seconds until a label is known.

    Raises:
        DataError: time is too short for even one such span.
    """
    edges = np.unique(np.quantile(times, np.linspace(0, 1, FOLDS + 2)[1:-1], method="higher"))
    span = np.searchsorted(edges, times, side="right")
    fold = np.full(len(times), NEVER, np.int8)
    count = 0
    for k in range(1, len(edges) + 1):
        held_out = span == k
        if not _judges(labels[held_out], FOLDS * 2):
            continue
        if _judges(labels[_known(times, float(np.min(times[held_out])), gap)], FOLDS * 2):
            fold[held_out] = count
            count += 1
    if count == 0:
        raise DataError(
            f'`folds` = "temporal" needs rows whose label was known before later rows began: the table spans '
            f"{(np.max(times) - np.min(times)) / _DAY:,.0f} days and a label takes {gap / _DAY:,.0f}; bring a longer "
            'time, or set `folds` = "stratified"'
        )
    return Folds(fold, count, times, gap)


def _known(times: NDArray[np.float64], begin: float, gap: float) -> NDArray[np.bool_]:
    return (times < begin) & (times + gap <= begin)


def _judges(labels: NDArray[np.int8], least: int) -> bool:
    positive = int(labels.sum())
    return min(positive, len(labels) - positive) >= least
