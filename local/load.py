"""Features of a table into Postgres and Valkey: the contract's database is made, then filled in batches."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pg8000.native
from numpy import float32, float64, full, minimum
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.connection import PostgresConnection
from ebb.record_json import values_to_json
from ebb.valkey.features import ValkeyFeatures
from lambdas.migrate.logic import migrate
from local.supervisor.plan import Servers
from training.dataset import Dataset, read_dataset
from training.progress import Progress

BATCH = 2_000
"""Entities merged by one statement and sent in one pipeline."""


def prepare_database(servers: Servers, database: str) -> PostgresFeatures:
    """Create the contract's database and its schema where they are absent, and return the durable tier on it.

    Raises:
        Unavailable: Postgres does not answer.
    """
    server = PostgresConnection(
        servers.host,
        servers.postgres_port,
        user=servers.postgres_user,
        password=servers.postgres_password,
        database=servers.postgres_database,
        timeout=10.0,
    )
    with server.use() as connection:
        if not connection.run("select 1 from pg_database where datname = :name", name=database):
            connection.run(f"create database {pg8000.native.identifier(database)}")
    server.close()
    migrate(servers.host, servers.postgres_port, servers.postgres_user, servers.postgres_password, database)
    return PostgresFeatures(
        PostgresConnection(
            servers.host,
            servers.postgres_port,
            user=servers.postgres_user,
            password=servers.postgres_password,
            database=database,
            timeout=60.0,
        )
    )


def load_table(data: Path, contract: Contract, servers: Servers, database: str, progress: Progress) -> int:
    """Load every row of a table as its entity's features.

    They are true since the contract's event time; where it names none, since the table was written.

    Returns:
        How many entities were loaded.

    Raises:
        DataError: the table does not fit the contract; nothing was loaded.
        Unavailable: a server does not answer; loading again changes nothing twice.
    """
    dataset = read_dataset(data, contract, labelled=False, progress=progress)
    durable = prepare_database(servers, database)
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=10.0, ttl=contract.ttl)
    try:
        with progress.step("Load features", len(dataset.entity_ids)) as done:
            _load(_batches(contract, dataset, _event_times(dataset, data)), durable, fast, done)
    finally:
        durable.close()
    return len(dataset.entity_ids)


def _load(
    batches: Iterator[list[tuple[str, float, bytes]]],
    durable: PostgresFeatures,
    fast: ValkeyFeatures,
    done: Callable[[int], None],
) -> None:
    """Merge each batch into Postgres while the one before it goes to Valkey."""
    with ThreadPoolExecutor(1) as road:
        before: Future[None] | None = None
        for rows in batches:
            merged = durable.merge_json(rows)
            if before is not None:
                before.result()
            before = road.submit(fast.put_json, merged)
            done(len(rows))
        if before is not None:
            before.result()


def _event_times(dataset: Dataset, data: Path) -> NDArray[float64]:
    """Return when each row was true, epoch seconds [N]: never later than now."""
    now = time.time()
    if dataset.event_times is not None:
        return minimum(dataset.event_times, now)
    written = max(path.stat().st_mtime for path in (data.rglob("*") if data.is_dir() else [data]))
    return full(len(dataset.entity_ids), min(written, now))


def _batches(
    contract: Contract, dataset: Dataset, event_times: NDArray[float64]
) -> Iterator[list[tuple[str, float, bytes]]]:
    numbers = [f.name for f in contract.numbers]
    categories = [f.name for f in contract.categories]
    for start in range(0, len(dataset.entity_ids), BATCH):
        part = slice(start, start + BATCH)
        rows = zip(
            dataset.entity_ids[part],
            event_times[part].tolist(),
            dataset.inputs.numbers[part],
            dataset.inputs.categories[part],
            strict=True,
        )
        yield [
            (str(entity_id), event_time, _values(numbers, own_numbers, categories, own_categories))
            for entity_id, event_time, own_numbers, own_categories in rows
        ]


def _values(
    numbers: list[str], own_numbers: NDArray[float32], categories: list[str], own_categories: list[str]
) -> bytes:
    values = dict(zip(numbers, own_numbers, strict=True)) | dict(zip(categories, own_categories, strict=True))
    return values_to_json(values)
