"""From the rows of a table that are left to batches that are ready to be merged."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.postgres.loads import Checkpoint
from local.loading.accepting import Accepting
from local.loading.road import Prepared
from local.loading.rows import copy_parts
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
    """

    def __init__(self, stream: Stream, contract: Contract, begun: Checkpoint, layout_id: int) -> None:
        self._accepting = Accepting(stream, contract, begun, BATCH)
        self._contract, self._layout = contract, layout_id

    @property
    def refused(self) -> int:
        """Rows that the contract refused, those of earlier runs among them."""
        return self._accepting.refused

    def batches(self) -> Iterator[Prepared]:
        """Yield what is to be merged, in the order of the table."""
        for each in self._accepting.batches():
            parts = copy_parts(self._contract, each.batch, each.event_times, self._layout)
            months = latest_of_months(each.event_times[each.batch.good])
            yield Prepared(len(each.batch.good), parts, months, each.refused, each.checkpoint)


def latest_of_months(event_times: NDArray[np.float64]) -> list[float]:
    """Return the latest of the event times (epoch seconds, rounded to microseconds) of each UTC month, sorted."""
    ordered = np.sort(event_times)
    # As Postgres rounds them: the last instant of a month can belong to the next one.
    months = np.rint(ordered * 1e6).astype("datetime64[us]").astype("datetime64[M]")
    last = np.append(months[1:] != months[:-1], True)[: len(ordered)]
    found: list[float] = ordered[last].tolist()
    return found
