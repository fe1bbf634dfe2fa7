"""Which columns of a table are read, and how its texts are held."""

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

CODED = pa.dictionary(pa.int32(), pa.string())
"""Texts of which each distinct one is held once: a tenth of the memory where they repeat."""


@dataclass(frozen=True)
class Wanted:
    """What a reader should read; names are without surrounding blanks.

    Attributes:
        columns: the only ones that are read; None reads all.
        coded: those whose texts repeat: held as `CODED`, and in csv never taken for numbers.
        texts: those that csv holds as text whatever stands in them, but whose texts rarely repeat.
    """

    columns: Collection[str] | None = None
    coded: Collection[str] = ()
    texts: Collection[str] = ()

    def takes(self, name: str) -> bool:
        """Tell whether a column is read."""
        return self.columns is None or name in self.columns


EVERYTHING = Wanted()
"""Every column, and texts as they are."""
