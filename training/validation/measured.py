"""Accepted rows in figures: the profile that DuckDB would take of their table, without a table."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract, Feature, Kind
from training.dataset import Dataset
from training.dataset.label import same_value
from training.dataset.texts import Texts, as_texts
from training.validation.profile import ColumnProfile, Profile
from training.validation.ranges import float32_range
from training.validation.suite import DAY

OTHERS = "any other value"
"""What stands for the values of a label that are not its positive one: accepted data no longer tells them apart."""


def measure(
    contract: Contract,
    dataset: Dataset,
    rows: NDArray[np.intp],
    *,
    now: float,
    edges: Mapping[str, tuple[float, ...]],
) -> Profile:
    """Profile some rows of accepted data.

    Args:
        contract: what the data was accepted by.
        dataset: the data.
        rows: which rows.
        now: the moment of judging, epoch seconds.
        edges: of the reference's bins, by column.
    """
    columns: dict[str, ColumnProfile] = {}
    for i, feature in enumerate(contract.numbers):
        values = dataset.inputs.numbers[rows, i]
        columns[feature.column] = _numbers(feature, values, edges.get(feature.column, ()))
    for i, feature in enumerate(contract.categories):
        columns[feature.column] = _texts(_coded(dataset, i, rows))
    ids = None
    if contract.entity_column is not None:
        ids = _spelled(dataset.entity_ids[rows])
        columns[contract.entity_column] = _texts(ids)
    times = None if dataset.event_times is None else dataset.event_times[rows]
    if contract.event_time is not None and times is not None:
        columns[contract.event_time] = _moments(times, now)
    immature = None
    if dataset.labels is not None:
        positive = dataset.labels[rows] == 1
        columns[contract.label.column] = _label(positive, same_value(contract.label.positive))
        if times is not None:
            # A positive outcome may be known early; a negative one never is.
            open_since = now - contract.label.window_days * DAY
            immature = int((~positive & (times > open_since)).sum())
    return Profile(len(rows), columns, None if ids is None else _repeated(ids, times), immature)


def _numbers(feature: Feature, column: NDArray[np.float32], edges: tuple[float, ...]) -> ColumnProfile:
    known = np.sort(column[~np.isnan(column)].astype(np.float64))
    if feature.kind is Kind.FLAG:
        outside = known[(known != 0) & (known != 1)]
    else:
        least, most = float32_range(feature.minimum, feature.maximum)
        outside = known[(known < least) | (known > most)]
    figures = {
        "filled": len(known),
        "unreadable": 0,
        "distinct": int(np.count_nonzero(np.diff(known)) + 1) if len(known) else 0,
        "least": float(known[0]) if len(known) else None,
        "most": float(known[-1]) if len(known) else None,
        "outside": len(outside),
        "example": float(outside[0]) if len(outside) else None,
        "fractions": int((known != np.floor(known)).sum()),
    }
    return ColumnProfile(figures, above=[len(known) - int(np.searchsorted(known, edge)) for edge in edges])


def _coded(dataset: Dataset, i: int, rows: NDArray[np.intp]) -> Texts:
    if dataset.texts:
        return Texts(dataset.texts[i].distinct, dataset.texts[i].codes[rows])
    return _spelled(dataset.inputs.categories[rows, i])


def _spelled(column: NDArray[np.object_]) -> Texts:
    return as_texts(pa.chunked_array([pa.array(column, pa.large_string())]))


def _texts(column: Texts) -> ColumnProfile:
    counts = column.counts()
    commonest = [i for i in np.argsort(-counts, kind="stable").tolist() if i and counts[i]]
    texts = {str(column.distinct[i]): int(counts[i]) for i in commonest}
    return ColumnProfile({"filled": sum(texts.values()), "unreadable": 0, "distinct": len(texts)}, texts=texts)


def _moments(times: NDArray[np.float64], now: float) -> ColumnProfile:
    known = times[~np.isnan(times)]
    most = float(np.max(known)) if len(known) else None
    return ColumnProfile(
        {"filled": len(known), "unreadable": 0, "most": most, "outside": int((known > now + DAY).sum())}
    )


def _label(positive: NDArray[np.bool_], name: str) -> ColumnProfile:
    found = int(positive.sum())
    counts = {name: found, OTHERS: len(positive) - found}
    texts = {text: count for text, count in counts.items() if count}
    return ColumnProfile({"filled": len(positive), "unreadable": 0, "distinct": len(texts)}, texts=texts)


def _repeated(ids: Texts, times: NDArray[np.float64] | None) -> float:
    """Return how many rows share their key, and their moment where there is one."""
    keys = ids.codes.astype(np.float64)
    several = keys[:, None] if times is None else np.column_stack([keys, times])
    counts = np.unique(several[keys != 0], axis=0, return_counts=True)[1]
    return float(counts[counts > 1].sum())
