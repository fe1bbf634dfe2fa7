"""From the rows of a table that are left to batches that are ready to be merged."""

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.event_time import AHEAD_SECONDS
from ebb.postgres.loads import Checkpoint
from local.loading.load_id import written_at
from local.loading.road import Prepared
from local.loading.rows import copy_parts
from training.dataset.batch import Batch, accept_batch, needed_columns
from training.dataset.stream import Stream

BATCH = 4_000
"""Rows merged by one transaction: the work that a kill undoes, and what is held in memory a few times over."""


class Preparing:
    """Reads, accepts and spells the rows that are left of a table.

    Args:
        stream: the table.
        contract: what its rows must fit.
        begun: how far an earlier run has come.
        layout_id: names the layout of the contract's features.

    Attributes:
        refused: rows that the contract refused, those of earlier runs among them.
    """

    def __init__(self, stream: Stream, contract: Contract, begun: Checkpoint, layout_id: int) -> None:
        self._stream, self._contract, self._layout = stream, contract, layout_id
        self._first, self.refused = begun.rows_done, begun.rows_refused
        self._now = time.time()
        self._written = min(written_at(stream.path), self._now)

    def batches(self) -> Iterator[Prepared]:
        """Yield what is to be merged, in the order of the table."""
        contract = self._contract
        for rows in self._stream.batches(needed_columns(contract), BATCH, self._first):
            batch = accept_batch(
                contract,
                rows,
                str(self._stream.path),
                first=self._first,
                latest=self._now + AHEAD_SECONDS,
                ragged=self._stream.ragged,
            )
            yield self._prepared(batch)
            for row in [row for row in self._stream.ragged if row < self._first]:
                del self._stream.ragged[row]

    def _prepared(self, batch: Batch) -> Prepared:
        rows, first = len(batch.good), self._first
        times = np.full(rows, self._written) if batch.event_times is None else batch.event_times
        names = batch.entities.values()
        lines = [(first + row + 1, str(names[row]), feature, reason) for row, feature, reason in batch.refused]
        self._first += rows
        self.refused += int(rows - batch.good.sum())
        parts = copy_parts(self._contract, batch, times, self._layout)
        months = latest_of_months(times[batch.good])
        return Prepared(rows, parts, months, lines, Checkpoint(self._first, self.refused))


def latest_of_months(event_times: NDArray[np.float64]) -> list[float]:
    """Return the latest of the event times (epoch seconds, rounded to microseconds) of each UTC month, sorted."""
    ordered = np.sort(event_times)
    # As Postgres rounds them: the last instant of a month can belong to the next one.
    months = np.rint(ordered * 1e6).astype("datetime64[us]").astype("datetime64[M]")
    last = np.append(months[1:] != months[:-1], True)[: len(ordered)]
    found: list[float] = ordered[last].tolist()
    return found
