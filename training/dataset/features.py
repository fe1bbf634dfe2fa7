"""One column against its feature: accepted values, refusals and notes."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Feature, Kind
from ebb.contract.feature import Written
from ebb.features.columns import as_float32, refused_category, refused_numbers
from ebb.features.values import NOT_A_FLAG, NOT_A_NUMBER
from training.dataset.numbers import as_flags
from training.dataset.refusals import Refusals
from training.dataset.texts import Texts, as_texts
from training.dataset.written import as_written


def accept_numbers(feature: Feature, column: pa.ChunkedArray, refusals: Refusals) -> NDArray[np.float32]:
    """Return a number, integer or flag column as float32 [N]; what the contract refuses goes to `refusals`."""
    flag = feature.kind is Kind.FLAG
    values, unreadable = as_flags(column) if flag else as_written(column, feature.written)
    otherwise = NOT_A_NUMBER if feature.written is Written.PLAIN else f"is not written as {feature.written.value!r}"
    found = [(NOT_A_FLAG if flag else otherwise, np.flatnonzero(unreadable))]
    found += [(reason, rows[~unreadable[rows]]) for reason, rows in refused_numbers(feature, values)]
    for reason, rows in found:
        if len(rows):
            refusals.add_rows(feature.column, reason, rows, column, personal=feature.personal)
    return as_float32(values)


def accept_category(feature: Feature, column: pa.ChunkedArray, refusals: Refusals, notes: list[str]) -> Texts:
    """Return a category column as distinct texts and codes; those that the contract does not list are noted."""
    texts = accept_texts(feature, column, refusals)
    counts = texts.counts()
    if feature.categories:
        listed = {"", *feature.categories}
        unseen = [code for code, text in enumerate(texts.distinct) if text not in listed]
        if unseen:
            notes.append(
                f"column {feature.column!r}: {int(counts[unseen].sum()):,} rows hold {len(unseen):,} "
                f"categor{'y' if len(unseen) == 1 else 'ies'} that the contract does not list"
            )
    return texts


def accept_texts(feature: Feature, column: pa.ChunkedArray, refusals: Refusals) -> Texts:
    """Return a category column as distinct texts and codes; what the contract refuses goes to `refusals`."""
    try:
        texts = as_texts(column)
    except TypeError as error:
        refusals.add(f"column {feature.column!r} {error}, but the contract says category")
        return Texts(np.array([""], object), np.zeros(len(column), np.int32))
    counts = texts.counts()
    rows_of: dict[str, list[int]] = {}
    for code, text in enumerate(texts.distinct):
        reason = refused_category(feature, text) if counts[code] else None
        if reason is not None:
            rows_of.setdefault(reason, []).append(code)
    for reason, codes in rows_of.items():
        rows = np.flatnonzero(np.isin(texts.codes, codes))
        refusals.add_rows(feature.column, reason, rows, column, personal=feature.personal)
    return texts
