"""Any column as texts: distinct values and the code of each row, so that Python sees each distinct value once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Texts:
    """A column of texts.

    Attributes:
        distinct: object (str) [D], in the order of their first rows; "" is missing and always present, at 0.
        codes: int32 [N], positions in `distinct`.
    """

    distinct: NDArray[Any]
    codes: NDArray[np.int32]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where the text is missing, bool [N]."""
        return np.equal(self.codes, 0)

    def counts(self) -> NDArray[np.intp]:
        """Rows of each distinct text, [D]."""
        return np.bincount(self.codes, minlength=len(self.distinct))

    def values(self) -> NDArray[Any]:
        """Return the text of each row, object (str) [N]; equal texts share one object."""
        return self.distinct[self.codes]


def as_texts(column: pa.ChunkedArray) -> Texts:
    """Spell a column: integers as integers (also 5.0), true and false in lower case, blanks and NaN as missing.

    Raises:
        TypeError: the column holds lists, structs or the like, or bytes that are no UTF-8.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return Texts(np.array([""], object), np.zeros(len(column), np.int32))
    if pa.types.is_nested(kind.value_type if pa.types.is_dictionary(kind) else kind):
        raise TypeError(f"holds {kind.value_type if pa.types.is_dictionary(kind) else kind}")
    encoded = _one_array(column)
    if not pa.types.is_dictionary(kind):
        encoded = encoded.dictionary_encode()
    try:
        raw = encoded.dictionary.to_pylist()
    except UnicodeDecodeError:
        raise TypeError("holds bytes that are not UTF-8") from None
    codes = encoded.indices.cast(pa.int32()).fill_null(len(raw)).to_numpy(zero_copy_only=False)
    return _spelled(raw, codes)


def _spelled(raw: list[Any], codes: NDArray[np.int32]) -> Texts:
    """Join the values that are spelled alike, in the order of their first rows; values of no row are dropped."""
    first = np.full(len(raw) + 1, len(codes), np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # of several rows the last one written stays: the first
    places: dict[str, int] = {"": 0}
    place_of = np.zeros(len(raw) + 1, np.int32)
    for i in np.argsort(first, kind="stable"):
        if i < len(raw) and first[i] < len(codes):
            place_of[i] = places.setdefault(spell(raw[i]), len(places))
    return Texts(np.array(list(places), object), place_of[codes])


def spell(value: Any) -> str:
    """Return the text of one value; "" where it is missing.

    Raises:
        TypeError: it is bytes that are no UTF-8.
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            raise TypeError("holds bytes that are not UTF-8") from None
    text = str(value)
    return text if text.strip() else ""


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    """Join the chunks; texts as large ones, since one array may pass 2 GB."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.unify_dictionaries()
    elif pa.types.is_string(kind) and column.num_chunks != 1:
        column = column.cast(pa.large_string())
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
