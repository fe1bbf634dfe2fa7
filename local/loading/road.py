"""The way of a batch: merged into Postgres while the next one is read, into Valkey while the next one is merged."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ebb.errors import Unavailable
from ebb.postgres.bulk import BulkMerged, PostgresBulk
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.loads import Checkpoint
from ebb.valkey.features import ValkeyFeatures
from local.loading.refused import Line, RefusedFile


@dataclass(frozen=True)
class Prepared:
    """A batch that is ready to be merged.

    Attributes:
        rows: how many the table has of it, the refused ones among them.
        texts: its good rows, for `PostgresBulk.merge_batch`.
        event_times: the latest of each month, epoch seconds.
        refused: the lines about its other rows.
        checkpoint: how far the load has come with it.
    """

    rows: int
    texts: Sequence[memoryview]
    event_times: Sequence[float]
    refused: Sequence[Line]
    checkpoint: Checkpoint


class Road:
    """Takes the batches of one load through both tiers, in order; never more than three at once.

    Args:
        load: its id.
        bulk: the durable tier.
        fast: the fast tier; while it is away the load goes on.
        notes: the durable tier on a connection of its own, which settles what the fast tier holds.
        refused: takes the lines about refused rows.

    Attributes:
        erased: rows that changed nothing, since their subjects were erased later.
        unrepaired: batches whose notes stay, since the fast tier did not take them.
    """

    def __init__(
        self, load: str, bulk: PostgresBulk, fast: ValkeyFeatures, notes: PostgresFeatures, refused: RefusedFile
    ) -> None:
        self._load, self._bulk, self._fast, self._notes, self._refused = load, bulk, fast, notes, refused
        self._merging, self._putting = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._merge: Future[int] | None = None
        self._put: Future[None] | None = None
        self.erased = self.unrepaired = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._merging.shutdown()
        self._putting.shutdown()
        self._fast.close()
        self._notes.close()

    def send(self, prepared: Prepared) -> int:
        """Send a batch on its way when the one before was merged; return the rows of that one.

        Raises:
            Unavailable: the durable tier did not take the one before; nothing of it counts.
        """
        rows = self._merged()
        self._merge = self._merging.submit(self._take, prepared)
        return rows

    def drain(self) -> int:
        """Wait for what is still on its way, and return the rows of the last batch.

        Raises:
            Unavailable: see `send`.
        """
        rows = self._merged()
        if self._put is not None:
            self._put.result()
        return rows

    def _merged(self) -> int:
        merge, self._merge = self._merge, None
        return 0 if merge is None else merge.result()

    def _take(self, prepared: Prepared) -> int:
        # Lines first: a row that counts as done must not lack its line. Without its batch a line is cut off again.
        self._refused.add(prepared.refused)
        merged = self._bulk.merge_batch(self._load, prepared.texts, prepared.event_times, prepared.checkpoint)
        self.erased += merged.erased
        if self._put is not None:
            self._put.result()
        self._put = self._putting.submit(self._hold, merged)
        return prepared.rows

    def _hold(self, merged: BulkMerged) -> None:
        try:
            self._fast.put_json(merged.records)
            for repair in merged.repairs:
                self._notes.settle(repair)
        except Unavailable:
            self.unrepaired += 1
