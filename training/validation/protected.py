"""The groups of protected features, and those that are too small to judge fairness by."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract, Feature, Kind
from training.dataset import Dataset
from training.dataset.numbers import as_flags
from training.dataset.texts import as_texts
from training.dataset.written import as_written
from training.validation.finding import WARNING, Finding

LEAST_GROUP = 30
"""Rows of a protected group below which its shares say nothing."""

Groups = Mapping[str, Mapping[str, int]]
"""Rows by group, by the protected feature's name; a number with many values is no group but a measure."""


def groups_of(contract: Contract, dataset: Dataset) -> Groups:
    """Count the groups of accepted rows."""
    found: dict[str, Counter[str]] = {}
    for i, feature in enumerate(contract.numbers):
        if feature.protected:
            found[feature.name] = _numbers(dataset.inputs.numbers[:, i])
    for i, feature in enumerate(contract.categories):
        if feature.protected:
            found[feature.name] = _texts(pa.chunked_array([pa.array(dataset.inputs.categories[:, i])]))
    return _few(contract, found)


def groups_in(contract: Contract, tables: Iterable[pa.Table]) -> Groups:
    """Count the groups of a table that comes in parts, every row of it."""
    found: dict[str, Counter[str]] = {f.name: Counter() for f in contract.features if f.protected}
    for table in tables:
        for feature in contract.features:
            if feature.protected and _may_be_groups(feature, found[feature.name]):
                column = table[feature.column]
                counted = _texts(column) if feature.is_category else _numbers(_read(feature, column))
                found[feature.name].update(counted)
    return _few(contract, found)


def judge_groups(contract: Contract, groups: Groups) -> Iterator[Finding]:
    """Tell of the groups of protected features that have too few rows."""
    for feature in contract.features:
        for name, count in groups.get(feature.name, {}).items():
            if 0 < count < LEAST_GROUP:
                group = "a group" if feature.personal else f"the group {name!r}"
                yield Finding(
                    WARNING,
                    feature.column,
                    f"is protected and has {group} of {count} rows: too few to judge its fairness by (at least "
                    f"{LEAST_GROUP}); group it with another or bring more rows",
                    count,
                )


def _read(feature: Feature, column: pa.ChunkedArray) -> NDArray[np.float32]:
    values, _ = as_flags(column) if feature.kind is Kind.FLAG else as_written(column, feature.written)
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _numbers(values: NDArray[np.float32]) -> Counter[str]:
    known, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    # the shortest text that no other float32 has
    return Counter(dict(zip((f"{float(str(value)):.9g}" for value in known), counts.tolist(), strict=True)))


def _texts(column: pa.ChunkedArray) -> Counter[str]:
    texts = as_texts(column)
    return Counter(dict(zip(texts.distinct[1:].tolist(), texts.counts()[1:].tolist(), strict=True)))


def _may_be_groups(feature: Feature, found: Mapping[str, int]) -> bool:
    return feature.is_category or len(found) <= LEAST_GROUP


def _few(contract: Contract, found: Mapping[str, Counter[str]]) -> Groups:
    return {f.name: found[f.name] for f in contract.features if f.name in found and _may_be_groups(f, found[f.name])}
