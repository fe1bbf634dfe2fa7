"""What the durable tier costs: a read beside the bare driver, a write, and their slowest."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from ebb.ports import FeatureUpdate
from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.features import READ, PostgresFeatures
from lambdas.migrate.logic import migrate
from local.servers.postgres import Postgres
from tests.load.figures import Figure
from tests.load.reference_work import echo_slowness

ENTITIES, READS, ROUNDS, WRITES = 20_000, 2_000, 9, 1_000
READ_RATIO, READ_P99_MS = 2.0, 1.0
_VALUES = {f"number_{i:02d}": i * 1.37 for i in range(16)} | {f"category_{i}": "alpha" for i in range(4)}


def patient(address: PostgresAddress) -> PostgresConnection:
    """Return a connection that waits as long as making many millions of rows may take."""
    return PostgresConnection(address, timeout=600.0, lock_timeout=600.0)


@contextmanager
def durable_tier() -> Iterator[PostgresConnection]:
    """Start a Postgres at the newest schema, its commits on the disk, and lend a connection to it."""
    with tempfile.TemporaryDirectory(prefix="ebb-figures-") as folder:
        server = Postgres.start(Path(folder))
        try:
            migrate(server.address)
            connection = patient(server.address)
            try:
                yield connection
            finally:
                connection.close()
        finally:
            server.stop()


def postgres_figures() -> list[Figure]:
    """Measure reads and writes of one entity with 20 features, one client."""
    with durable_tier() as connection:
        features = PostgresFeatures(connection)
        ids = [f"c-{number:06d}" for number in range(ENTITIES)]
        now = time.time()
        for start in range(0, ENTITIES, 1_000):
            features.merge([FeatureUpdate(who, _VALUES, now - 1) for who in ids[start : start + 1_000]])
        figures = _read_figures(connection, features, ids)
        return [*figures, *_write_figures(features, ids, now)]


def _read_figures(connection: PostgresConnection, features: PostgresFeatures, ids: list[str]) -> list[Figure]:
    with connection.use() as driver:
        bare = driver.prepare(READ)
        works: dict[str, Callable[[str], object]] = {
            "bare": lambda who: bare.run(entity_id=who),
            "tier": features.read,
            "unprepared": lambda who: driver.run(READ, entity_id=who),
        }
        costs = _cpu_microseconds(works, ids)
        waits = sorted(_milliseconds(partial(features.read, who)) for who in ids[:10_000])
    how = f"{ENTITIES:,} entities of 20 features, one client, median of {ROUNDS} rounds of {READS:,}"
    slowness = echo_slowness()
    return [
        Figure("durable tier, read of one entity: CPU against a bare prepared select of `pg8000`", "x",
               costs["tier"] / costs["bare"], READ_RATIO, how),
        Figure("durable tier, read of one entity, CPU", "us", costs["tier"], None, how),
        Figure("a bare prepared select of the same row, CPU", "us", costs["bare"], None, how),
        Figure("the same select unprepared, CPU", "us", costs["unprepared"], None, how),
        Figure("durable tier, read of one entity, p50", "ms", median(waits), None, "10,000 reads, one client"),
        Figure("durable tier, read of one entity, p99", "ms", waits[int(len(waits) * 0.99)], READ_P99_MS,
               "10,000 reads, one client; Feast's tuned Python server publishes 4.61 ms", slowness=slowness),
    ]  # fmt: skip


def _write_figures(features: PostgresFeatures, ids: list[str], now: float) -> list[Figure]:
    def write(who: str, number: int) -> float:
        return _milliseconds(lambda: features.merge([FeatureUpdate(who, _VALUES, now + number)]))

    first = [write(f"new-{number}", 0) for number in range(WRITES)]
    again = [write(ids[number], 1) for number in range(WRITES)]
    how = f"current values, history and note in one statement, on the disk; {WRITES:,} writes, one client"
    return [
        Figure("durable tier, first write of an entity, p50", "ms", median(first), None, how),
        Figure("durable tier, further write of an entity, p50", "ms", median(again), None, how),
        Figure("durable tier, further write of an entity, p99", "ms", quantiles(again, n=100)[98], None, how),
    ]


def _cpu_microseconds(works: dict[str, Callable[[str], object]], ids: list[str]) -> dict[str, float]:
    """Return this process's CPU time a call; the works take turns, so that a slow moment hits all of them."""
    rounds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            for number in range(READS):
                work(ids[number * 7 % len(ids)])
            rounds[name].append((time.process_time() - start) / READS * 1e6)
    return {name: median(times) for name, times in rounds.items()}


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3
