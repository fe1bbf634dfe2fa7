"""What an accepted table holds, as a digest, and how many of its rows are identical."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.contract import Contract
from training.dataset.texts import Texts

_MIX = np.uint64(0x9E3779B97F4A7C15)


def digest(
    contract: Contract,
    numbers: NDArray[np.float32],
    texts: Sequence[Texts],
    labels: NDArray[np.int8] | None,
    keys: NDArray[Any] | None,
    *,
    times: NDArray[np.float64] | None = None,
) -> str:
    """Return the sha256 of the accepted content, 64 hex digits.

    It depends on feature names, values (after rounding to float32), labels, keys,
    the times that are part of the key, and the order of rows, and neither
    on the file's format nor on columns that the contract does not mention.
    """
    told = sha256()
    for i, feature in enumerate(contract.numbers):
        told.update(feature.name.encode() + b"\0n")
        told.update(np.ascontiguousarray(_one_nan(numbers[:, i])))
    for i, feature in enumerate(contract.categories):
        told.update(feature.name.encode() + b"\0c")
        _update(told, _rows(texts[i]))
    if labels is not None:
        told.update(b"labels\0")
        told.update(np.ascontiguousarray(labels))
    if keys is not None:
        told.update(b"keys\0")
        _update(told, pa.array(keys, pa.large_string()))
    if times is not None:
        told.update(b"times\0")
        told.update(np.ascontiguousarray(times))
    return told.hexdigest()


def identical_rows(numbers: NDArray[np.float32], texts: Sequence[Texts], labels: NDArray[np.int8] | None) -> int:
    """Count the rows that equal an earlier one in every feature and the label.

    Rows are compared by 64-bit hashes: among 5 million different rows a false match has a chance of one in a million.
    """
    mixed = np.zeros(len(numbers), np.uint64)
    for codes in _columns(numbers, texts, labels):
        mixed = (mixed ^ codes) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return len(mixed) - len(np.unique(mixed))


def _columns(
    numbers: NDArray[np.float32], texts: Sequence[Texts], labels: NDArray[np.int8] | None
) -> Iterator[NDArray[np.uint64]]:
    for i in range(numbers.shape[1]):
        yield _one_nan(numbers[:, i]).view(np.uint32).astype(np.uint64)
    for column in texts:
        yield column.codes.astype(np.uint64)
    if labels is not None:
        yield labels.astype(np.uint64)


def _one_nan(column: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the column with every NaN the same NaN, and no minus zero."""
    return np.where(np.isnan(column), np.float32(np.nan), column + np.float32(0))


def _rows(texts: Texts) -> pa.Array:
    return pa.array(texts.distinct, pa.large_string()).take(pa.array(texts.codes))


def _update(told: Any, array: pa.Array) -> None:
    """Digest texts with their lengths, so that no two lists of texts look alike."""
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int64, len(array) + 1)
    told.update(ends)
    if data is not None:
        told.update(memoryview(data)[: int(ends[-1])])
