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


def read_keys(name: str, column: pa.ChunkedArray, refusals: Refusals) -> NDArray[Any] | None:
    """Read the key column as texts, object (str) [N]; None where it is refused: missing or repeated keys."""
    try:
        texts = as_texts(column)
    except TypeError as error:
        refusals.add(f"the key column {name!r} {error}, but must hold plain texts or numbers")
        return None
    missing = np.flatnonzero(texts.missing)
    if len(missing):
        refusals.add(f"the key column {name!r} is missing in {name_rows(missing)} ({len(missing):,} in all)")
    repeated = np.flatnonzero(texts.counts()[1:] > 1) + 1
    if len(repeated):
        first = np.flatnonzero(texts.codes == repeated[0])
        named = ", ".join(short(texts.distinct[code]) for code in repeated[:_KEYS_NAMED])
        more = ", ..." if len(repeated) > _KEYS_NAMED else ""
        refusals.add(
            f"the key column {name!r} repeats {len(repeated):,} key{'s' if len(repeated) > 1 else ''} "
            f"({named}{more}; the first in {name_rows(first)}): each entity may have one row"
        )
    unfit = unfit_codes(texts)
    if unfit:
        first = np.flatnonzero(texts.codes == unfit[0])
        refusals.add(
            f"the key column {name!r} holds {len(unfit):,} key{'s' if len(unfit) > 1 else ''} that no request could "
            f"name (the first in {name_rows(first)}): a key is 1 to {LONGEST} printable characters"
        )
    return None if len(missing) or len(repeated) or unfit else texts.values()


def unfit_codes(texts: Texts) -> list[int]:
    """Return the codes of the keys that no request could name."""
    return [code for code, text in enumerate(texts.distinct) if code and not is_entity_id(text)]
