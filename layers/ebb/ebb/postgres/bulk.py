"""Bulk loads into Postgres: a COPY, a merge, the checkpoint and the note for the fast tier in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ebb.postgres.connection import PostgresConnection
from ebb.postgres.layouts import layout_of
from ebb.postgres.loads import Checkpoint, advance_load, begin_load, finish_load
from ebb.postgres.merge import INCOMING, Outcome, merge_incoming
from ebb.postgres.months import PostgresMonths
from ebb.record_json import joined_json

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class BulkMerged:
    """What one batch left.

    Attributes:
        records: (entity_id, version, record JSON) as the touched rows now stand.
        repairs: the notes to settle when the fast tier holds them.
        erased: rows that changed nothing, since their subjects were erased after their event time.
    """

    records: list[tuple[str, int, bytes]]
    repairs: list[int]
    erased: int


class PostgresBulk:
    """The durable tier as a bulk load needs it; for one load, and one thread at a time.

    A batch is acknowledged when it is on the disk, like every other write: with `synchronous_commit` off a killed
    server could forget versions and salts that Valkey holds already, and hand them out again for other values.

    Args:
        connection: the load's own; it holds the load until it is closed.
        history_keep: seconds; an older write reaches the current values, but no history.
    """

    def __init__(self, connection: PostgresConnection, history_keep: float) -> None:
        self._connection, self._keep = connection, history_keep
        self._months = PostgresMonths(connection, history_keep)

    def begin(self, load: str, source: str, contract: str) -> Checkpoint:
        """Take up a load; see `begin_load`.

        Raises:
            Misuse: another process is loading the same table.
            Unavailable: Postgres does not answer.
        """
        with self._connection.use() as connection:
            return begin_load(connection, load, source, contract)

    def layout(self, names: Sequence[str]) -> int:
        """Return the id of these names in this order.

        Raises:
            Unavailable: Postgres does not answer.
        """
        with self._connection.use() as connection:
            return layout_of(connection, names)

    def merge_batch(
        self, load: str, texts: Sequence[memoryview], event_times: Iterable[float], checkpoint: Checkpoint
    ) -> BulkMerged:
        """Merge a batch and advance the load, or change nothing.

        Args:
            load: its id.
            texts: rows in COPY format (the columns of `ebb.postgres.merge.INCOMING`), one text merged after the
                other; no entity stands twice in one.
            event_times: at least the latest of each month, epoch seconds.
            checkpoint: how far the load has come with this batch.

        Raises:
            Unavailable: Postgres does not answer; nothing was written.
        """
        self._months.ensure(event_times)
        merged = BulkMerged([], [], 0)
        with self._connection.transaction() as connection:
            for i, text in enumerate(texts):
                connection.run("truncate incoming" if i else INCOMING)
                connection.run("copy incoming from stdin", stream=_chunks(text))
                merged = _joined(merged, text, merge_incoming(connection, self._keep))
            advance_load(connection, load, checkpoint)
        return merged

    def finish(self, load: str) -> None:
        """Say that the load is whole.

        Raises:
            Unavailable: Postgres does not answer.
        """
        with self._connection.use() as connection:
            finish_load(connection, load)

    def close(self) -> None:
        """Close the connection, which gives the load free."""
        self._connection.close()


def _chunks(text: memoryview) -> Iterable[bytes]:
    return (bytes(text[start : start + _CHUNK_BYTES]) for start in range(0, len(text), _CHUNK_BYTES))


def _joined(before: BulkMerged, text: memoryview, outcome: Outcome) -> BulkMerged:
    """Add what one text left; a later record of an entity takes the earlier one's place in the fast tier."""
    rows, lines = outcome.rows, bytes(text).split(b"\n")[:-1]
    brought = _brought(lines) if any(row.values is None for row in rows) else {}
    records = [
        (
            row.entity_id,
            row.version,
            joined_json(
                row.event_time, row.times or "{}", row.values or brought[row.entity_id], row.salt, row.erased_at
            ),
        )
        for row in rows
    ]
    repairs = [*before.repairs, outcome.repair] if outcome.repair else before.repairs
    return BulkMerged(before.records + records, repairs, before.erased + len(lines) - len(rows))


def _brought(lines: Sequence[bytes]) -> dict[str, str]:
    """Return the JSON object that each entity brought."""
    cells = (line.decode().split("\t", 3) for line in lines)
    return {_unescaped(entity_id): _unescaped(values) for entity_id, _, values, _ in cells}


def _unescaped(text: str) -> str:
    r"""Undo COPY's escape: nothing but the backslash is escaped in a printable id and in JSON."""
    return text.replace("\\\\", "\\") if "\\" in text else text
