"""The scored table: written in row groups of one size, so that the same rows make the same file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ebb.decision import ACT, HOLD

COLUMNS = ("probability", "decision", "release")
"""Beside the key."""

_GROUP = 1 << 17


@dataclass(frozen=True)
class Totals:
    """What was written.

    Attributes:
        rows: all of them.
        acted_on: those whose decision is to act.
        probability: the sum.
    """

    rows: int = 0
    acted_on: int = 0
    probability: float = 0.0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.rows + other.rows, self.acted_on + other.acted_on, self.probability + other.probability)


@dataclass(frozen=True)
class Look:
    """What a scored table looks like.

    Attributes:
        key: name of the key column.
        release: `contract/version`, which stands in every row.
        threshold: probability from which the decision is to act.
    """

    key: str
    release: str
    threshold: float

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        probability, decision, release = COLUMNS
        texts = pa.string()
        return pa.schema([(self.key, texts), (probability, pa.float32()), (decision, texts), (release, texts)])


class ScoredWriter:
    """Writes a scored table to a file that nobody else sees yet.

    Args:
        path: the file.
        look: of the table.
        csv: whether it is csv and not parquet.
    """

    def __init__(self, path: Path, look: Look, *, csv: bool = False) -> None:
        self._look, self._path, self._csv = look, path, csv
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self.totals = Totals()

    def __enter__(self) -> Self:
        schema = self._look.schema
        self._file: Any = pa_csv.CSVWriter(self._path, schema) if self._csv else pq.ParquetWriter(self._path, schema)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._file.close()

    def add(self, keys: pa.Array, probabilities: NDArray[np.float32]) -> None:
        """Add rows.

        Args:
            keys: string [N].
            probabilities: [N].

        Raises:
            OSError: they cannot be written.
        """
        acts = probabilities.astype(np.float64) >= self._look.threshold
        decisions = pa.array([HOLD, ACT], pa.string()).take(pa.array(acts.view(np.int8)))
        releases = pa.repeat(pa.scalar(self._look.release, pa.string()), len(keys))
        columns = [keys, pa.array(probabilities), decisions, releases]
        self._held.append(pa.RecordBatch.from_arrays(columns, schema=self._look.schema))
        self._rows += len(keys)
        while self._rows >= _GROUP:
            self._flush(_GROUP)

    def flush(self) -> None:
        """Write what is held; a later row begins another row group.

        Raises:
            OSError: it cannot be written.
        """
        self._flush(self._rows)

    def note(self, facts: Mapping[str, str]) -> None:
        """Keep facts in the footer of a parquet file."""
        self._file.add_key_value_metadata(dict(facts))

    def _flush(self, rows: int) -> None:
        if not rows:
            return
        table = pa.Table.from_batches(self._held, self._look.schema)
        self._held = table.slice(rows).to_batches()
        self._rows -= rows
        group = table.slice(0, rows).combine_chunks()
        self._file.write_table(group)
        probabilities = group.column(1).to_numpy().astype(np.float64)
        acted = int(np.count_nonzero(probabilities >= self._look.threshold))
        self.totals += Totals(rows, acted, float(probabilities.sum()))
