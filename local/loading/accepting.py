"""The rows that are left of a table, held against the contract: what every road of a load begins with."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.event_time import AHEAD_SECONDS
from ebb.postgres.loads import Checkpoint
from local.loading.load_id import written_at
from local.loading.refused import Line
from training.dataset.batch import Batch, accept_batch, needed_columns
from training.dataset.stream import Stream


@dataclass(frozen=True)
class Accepted:
    """Some rows that follow each other in the table.

    Attributes:
        first: 0-based position of the first one in the table.
        batch: the rows, the refused ones among them.
        event_times: epoch seconds [N]; where the contract names no column, when the table was written.
        refused: the lines about refused rows.
        checkpoint: how far the load has come with them.
    """

    first: int
    batch: Batch
    event_times: NDArray[np.float64]
    refused: Sequence[Line]
    checkpoint: Checkpoint


class Accepting:
    """Reads and accepts the rows that are left of a table.

    Args:
        stream: the table.
        contract: what its rows must fit.
        begun: how far an earlier run has come.
        size: rows of a batch.

    Attributes:
        refused: rows that the contract refused, those of earlier runs among them.
    """

    def __init__(self, stream: Stream, contract: Contract, begun: Checkpoint, size: int) -> None:
        self._stream, self._contract, self._size = stream, contract, size
        self._first, self.refused = begun.rows_done, begun.rows_refused
        self._now = time.time()
        self._written = min(written_at(stream.path), self._now)

    def batches(self) -> Iterator[Accepted]:
        """Yield the rows, in the order of the table."""
        contract = self._contract
        for rows in self._stream.batches(needed_columns(contract), self._size, self._first):
            batch = accept_batch(
                contract,
                rows,
                str(self._stream.path),
                first=self._first,
                latest=self._now + AHEAD_SECONDS,
                ragged=self._stream.ragged,
            )
            yield self._accepted(batch)
            for row in [row for row in self._stream.ragged if row < self._first]:
                del self._stream.ragged[row]

    def _accepted(self, batch: Batch) -> Accepted:
        rows, first = len(batch.good), self._first
        times = np.full(rows, self._written) if batch.event_times is None else batch.event_times
        names = batch.entities.values()
        lines = [(first + row + 1, str(names[row]), feature, reason) for row, feature, reason in batch.refused]
        self._first += rows
        self.refused += int(rows - batch.good.sum())
        return Accepted(first, batch, times, lines, Checkpoint(self._first, self.refused))
