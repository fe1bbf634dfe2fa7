"""Who each row is about: the key column, or the row's number where the contract names none."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ebb.entity_id import LONGEST, is_entity_id
from training.dataset.refusals import Refusals, name_rows, short
from training.dataset.texts import Texts, as_texts

_KEYS_NAMED = 3


def row_numbers(rows: int) -> NDArray[Any]:
    """Return the 1-based row numbers as texts, object (str) [rows]."""
    return np.array([str(row) for row in range(1, rows + 1)], object)


def read_keys(
    name: str, column: pa.ChunkedArray, refusals: Refusals, times: NDArray[np.float64] | None = None
) -> NDArray[Any] | None:
    """Read the key column as texts, object (str) [N]; None where it is refused: missing or repeated keys.

    Args:
        name: the column's name.
        column: N keys.
        refusals: take what is refused.
        times: epoch seconds [N]; where they are given, an entity may have one row a moment, else one row.
    """
    try:
        texts = as_texts(column)
    except TypeError as error:
        refusals.add(f"the key column {name!r} {error}, but must hold plain texts or numbers")
        return None
    missing = np.flatnonzero(texts.missing)
    if len(missing):
        refusals.add(f"the key column {name!r} is missing in {name_rows(missing)} ({len(missing):,} in all)")
    again = repeated_rows(texts.codes, times)
    repeated = np.unique(texts.codes[again & ~texts.missing])
    if len(repeated):
        first = np.flatnonzero((texts.codes == repeated[0]) & again)
        named = ", ".join(short(texts.distinct[code]) for code in repeated[:_KEYS_NAMED])
        more = ", ..." if len(repeated) > _KEYS_NAMED else ""
        refusals.add(
            f"the key column {name!r} repeats {len(repeated):,} key{'s' if len(repeated) > 1 else ''} "
            f"({named}{more}; the first in {name_rows(first)}): each entity may have one row"
            + ("" if times is None else " a moment")
        )
    unfit = unfit_codes(texts)
    if unfit:
        first = np.flatnonzero(texts.codes == unfit[0])
        refusals.add(
            f"the key column {name!r} holds {len(unfit):,} key{'s' if len(unfit) > 1 else ''} that no request could "
            f"name (the first in {name_rows(first)}): a key is 1 to {LONGEST} printable characters"
        )
    return None if len(missing) or len(repeated) or unfit else texts.values()


def repeated_rows(codes: NDArray[np.int32], times: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """Tell which rows share their code, and their time where times are given, with another row; bool [N]."""
    order = np.argsort(codes, kind="stable") if times is None else np.lexsort((times, codes))
    same = codes[order][1:] == codes[order][:-1]
    if times is not None:
        same &= times[order][1:] == times[order][:-1]
    again = np.zeros(len(codes), np.bool_)
    again[order[1:]] |= same
    again[order[:-1]] |= same
    return again


def unfit_codes(texts: Texts) -> list[int]:
    """Return the codes of the keys that no request could name."""
    return [code for code, text in enumerate(texts.distinct) if code and not is_entity_id(text)]
