"""What a history of many million rows costs: bytes, reads as of a moment, and months that come and go.

`make bench-history` runs it as a program; `python -m tests.load.history 5000000` makes fewer rows.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median

from ebb.errors import EbbError
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.history import PostgresHistory
from ebb.postgres.month import Month
from ebb.postgres.months import PostgresMonths
from local.terminal import TerminalProgress, console, print_table
from tests.home import ROOT
from tests.load.figures import Figure, rows_of
from tests.load.history_rows import NAMES, PARTIAL_ENTITIES, WHOLE_ENTITIES, generate, need_disk
from tests.load.page import page
from tests.load.postgres_figures import durable_tier, patient
from tests.load.reference_work import echo_slowness

ROWS = 50_000_000
TARGET = ROOT / "docs" / "benchmarks-history.md"
_ABOUT = """Written by `make bench-history`. `make verify` guards the promised figures with 5 million rows."""
WHOLE_P99_MS, MERGED_P99_MS = 5.0, 10.0
READS = 2_000
LAYOUT = "whole rows as JSON arrays of a layout (4 in 5), partial ones of 4 features as JSON objects; 24 months"
_DAY = 86_400.0
_SIZES = """
select sum(pg_table_size(inhrelid))::float8, sum(pg_indexes_size(inhrelid))::float8
from pg_inherits where inhparent = 'history'::regclass
"""


def history_figures(rows: int, progress: Callable[[int], None] = lambda _: None) -> list[Figure]:
    """Make the history in a Postgres of its own, which is gone afterwards, and measure it.

    Raises:
        Misuse: the disk has not twice the room.
    """
    need = need_disk(Path(tempfile.gettempdir()), rows)
    with durable_tier() as connection:
        start = time.perf_counter()
        months = generate(lambda: patient(connection.address), rows, progress)
        seconds = time.perf_counter() - start
        table, index = connection.query(_SIZES)[0]
        of = f"{rows:,} rows of {WHOLE_ENTITIES + PARTIAL_ENTITIES:,} entities"
        return [
            Figure("history, room asked for", "GB", need / 1e9, None, f"{of}; refused where twice that is not free"),
            Figure("history, room taken", "GB", (table + index) / 1e9, need / 1e9, LAYOUT, tolerated=1.0),
            Figure("history, a row", "bytes", table / rows, None, "20 features; the table"),
            Figure("history, a row's index entry", "bytes", index / rows, None, "entity, event time, ingestion time"),
            Figure("history, made inside Postgres", "s", seconds, None, of),
            *_read_figures(connection, months, of),
            *_month_figures(connection, months),
        ]


def _read_figures(connection: PostgresConnection, months: list[Month], of: str) -> Iterator[Figure]:
    slowness = echo_slowness()
    for kind, entities, what, target in (
        ("w", WHOLE_ENTITIES, "whole rows", WHOLE_P99_MS),
        ("p", PARTIAL_ENTITIES, "partial rows, merged", MERGED_P99_MS),
    ):
        waits = _as_of(PostgresHistory(connection), months, kind, entities)
        name, how = f"history as of a moment, {what}", f"{of}; {READS:,} reads, prepared, one client"
        yield Figure(f"{name}, p50", "ms", median(waits), None, how)
        yield Figure(f"{name}, p99", "ms", waits[int(len(waits) * 0.99)], target, how, slowness=slowness)


def _as_of(history: PostgresHistory, months: list[Month], kind: str, entities: int) -> list[float]:
    """Ask for random entities at random moments, from the fourth month on; sorted milliseconds."""
    random, waits = Random(1), []  # noqa: S311 - the same questions each time
    for number in range(READS + 20):
        moment = random.uniform(months[3].end, time.time())
        start = time.perf_counter()
        record = history.known_at(f"{kind}-{random.randrange(entities):08d}", moment, moment + _DAY)
        if number >= 20:  # the first ones connect and prepare
            waits.append((time.perf_counter() - start) * 1e3)
        assert record is not None
        assert len(record.values) == len(NAMES)
    return sorted(waits)


def _month_figures(connection: PostgresConnection, months: list[Month]) -> Iterator[Figure]:
    """Let months come and go while one client reads, and another one's transaction stays open."""
    with _reading(connection, months) as waits, _open_transaction(connection) as finish:
        arriving = PostgresMonths(connection, time.time())
        attach = _milliseconds(lambda: arriving.ensure([months[-1].end + 1]))
        leaving = PostgresMonths(connection, time.time() - months[0].end - 60)
        left = leaving.drop_expired()
        assert left.waiting == months[0].table, left
        finish()
        detach = _milliseconds(lambda: _until_dropped(leaving, months[0].table))
        how = "one client reads, another one's transaction was open"
    yield Figure("history, a month arrives", "ms", attach, None, f"CREATE, CHECK, ATTACH; {how}")
    yield Figure("history, a month that was read leaves", "ms", detach, None, f"FINALIZE, DROP; {how} until then")
    with _reading(connection, months) as more:
        leaving = PostgresMonths(connection, time.time() - months[1].end - 60)
        detach = _milliseconds(lambda: _until_dropped(leaving, months[1].table))
    yield Figure("history, a month leaves", "ms", detach, None, "DETACH CONCURRENTLY, DROP; one client reads")
    longest = max(*waits, *more)
    yield Figure("history, longest read while months come and go", "ms", longest, None, f"{len(waits) + len(more):,}")


def _until_dropped(months: PostgresMonths, table: str) -> None:
    deadline = time.monotonic() + 60
    while months.drop_expired().dropped != table:
        assert time.monotonic() < deadline, table


@contextmanager
def _reading(connection: PostgresConnection, months: list[Month]) -> Iterator[list[float]]:
    """Read as of random moments in a thread of its own; the milliseconds of each read."""
    waits: list[float] = []
    stop, failed = threading.Event(), []

    def read() -> None:
        own, random = patient(connection.address), Random(2)  # noqa: S311 - as above
        history = PostgresHistory(own)
        try:
            while not stop.is_set():
                moment = random.uniform(months[4].end, time.time())
                who = f"w-{random.randrange(WHOLE_ENTITIES):08d}"
                waits.append(_milliseconds(lambda: history.known_at(who, moment, moment + _DAY)))  # noqa: B023
        except EbbError as error:
            failed.append(error)
        finally:
            own.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()
    assert not failed, failed


@contextmanager
def _open_transaction(connection: PostgresConnection) -> Iterator[Callable[[], None]]:
    """Hold a transaction that has read the history, until the yielded function is called."""
    own = patient(connection.address)
    try:
        with own.use() as driver:
            driver.run("begin")
            driver.run("select 1 from history limit 1")
        yield own.close
    finally:
        own.close()


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def main() -> int:
    """Make, measure, print; exit code 1 when a promise is not kept, or the disk has no room."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    try:
        with TerminalProgress().step(f"Make {rows:,} rows of history", rows) as done:
            figures = history_figures(rows, done)
    except EbbError as error:
        console.print(str(error))
        return 1
    print_table("History", ["figure", "measured", "promised", "kept"], [row[:4] for row in rows_of(figures)])
    if rows == ROWS:
        TARGET.write_text(page(f"History of {rows:,} rows", _ABOUT, figures))
        console.print(f"Written: {TARGET.relative_to(ROOT)}")
    return int(any(figure.kept is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
