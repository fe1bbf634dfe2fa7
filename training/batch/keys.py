"""The keys of a batch as Arrow texts, looked at one by one only where they are unusual."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ebb.entity_id import LONGEST, is_entity_id
from training.dataset.texts import as_texts, spell

REPEATED = "is the key of more than one row"


@dataclass(frozen=True)
class Keys:
    """Whom the rows of a batch are about.

    Attributes:
        texts: string [N]; "" where missing or unfit.
        missing: 0-based rows.
        unfit: 0-based rows whose key no request could name.
    """

    texts: pa.Array
    missing: NDArray[np.intp]
    unfit: NDArray[np.intp]

    def among(self, some: Collection[str]) -> NDArray[np.intp]:
        """Return the 0-based rows whose key is one of some."""
        if not some:
            return np.array([], np.intp)
        return np.flatnonzero(pc.is_in(self.texts, pa.array(sorted(some), pa.string())))


def row_keys(first: int, rows: int) -> Keys:
    """Return the 1-based numbers of rows, for a contract that names no key column."""
    none = np.array([], np.intp)
    return Keys(pa.array(np.arange(first + 1, first + 1 + rows)).cast(pa.string()), none, none)


def read_keys(column: pa.ChunkedArray) -> Keys:
    """Spell a key column as `training.dataset` does.

    Raises:
        TypeError: the column holds lists, structs or the like, or bytes that are no UTF-8.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_integer(kind):
        column, kind = column.cast(pa.string()), pa.string()
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        texts = as_texts(column)
        return _keys(texts.values(), np.arange(len(column)))
    usual = pc.and_(pc.string_is_ascii(column), pc.ascii_is_printable(column))
    usual = pc.and_(usual, pc.less_equal(pc.binary_length(column), LONGEST))
    usual = pc.and_(usual, pc.invert(pc.ascii_is_space(column)))
    usual = pc.and_(usual, pc.greater(pc.binary_length(column), 0))
    odd = np.flatnonzero(~pc.fill_null(usual, fill_value=False).to_numpy())
    texts = _one(column.cast(pa.string()))
    if not len(odd):
        return Keys(texts, odd, odd)
    try:
        spelled = [spell(value) for value in texts.take(pa.array(odd)).to_pylist()]
    except UnicodeDecodeError:
        raise TypeError("holds bytes that are not UTF-8") from None
    found = _keys(np.array([*spelled, None], object)[:-1], odd)
    mask = np.zeros(len(texts), bool)
    mask[odd] = True
    return Keys(pc.replace_with_mask(texts, pa.array(mask), found.texts), found.missing, found.unfit)


def _keys(spelled: NDArray[np.object_], rows: NDArray[np.intp]) -> Keys:
    """Judge some spelled keys; `rows` says where they stand in the batch."""
    fit = np.array([is_entity_id(text) for text in spelled], bool)
    blank = np.array([text == "" for text in spelled], bool)
    kept = [text if good else "" for text, good in zip(spelled, fit, strict=True)]
    return Keys(pa.array(kept, pa.string()), rows[blank], rows[~fit & ~blank])


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
