"""Reads while a table is loaded: every value is told with its own age, none goes back, none is stale in silence."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ebb.contract import Contract
from lambdas.predict.resolve import resolve
from local.loading.load import Loaded, Table, load_table
from tests.fakes.made_contracts import contract_of
from tests.load.load_figures import servers_of
from tests.real_stores import RealStores
from training.progress import Silent

ENTITIES = 12_000
AGE = 3_600.0
CONTRACT = contract_of(
    f'name = "served"; kind = "number"; max_age = "{AGE:.0f}s"; when_stale = "serve"',
    f'name = "degraded"; kind = "number"; max_age = "{AGE:.0f}s"; when_stale = "degrade"',
    name="postgres",
    entity="id",
    event_time="at",
)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[RealStores]:
    made = RealStores(tmp_path, memory_mib=256)
    try:
        yield made
    finally:
        made.end()


def _table(folder: Path, name: str, at: float) -> Path:
    """Write a table whose values say since when they are true."""
    ids = [f"c-{number:05d}" for number in range(ENTITIES)]
    data = folder / name
    columns = {
        "id": ids,
        "at": [at] * ENTITIES,
        "served": [at % 100_000] * ENTITIES,
        "degraded": [at % 100_000] * ENTITIES,
    }
    pq.write_table(pa.table(columns), data)
    return data


def test_no_value_goes_back_or_hides_its_age_while_loads_run(servers: RealStores, tmp_path: Path) -> None:
    contract, now = CONTRACT, float(int(time.time()))
    stale, newest, late = now - 2 * AGE, now - 60, now - 3 * AGE
    where = servers_of(servers.postgres, servers.valkey)

    def load(name: str, at: float) -> Loaded:
        table = Table(_table(tmp_path, name, at), contract, tmp_path / "loads")
        return load_table(table, where, Silent())

    load("stale.parquet", stale)
    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load, "newest.parquet", newest), pool.submit(load, "late.parquet", late)]
        seen = _read_until(servers, contract, lambda: all(run.done() for run in loads))
        assert [run.result().unrepaired for run in loads] == [0, 0]
    assert {stale, newest} <= seen <= {stale, newest}, "both before and after were seen, and the late ones never"
    assert servers.repaired().agrees
    durable = servers.durable()
    times = {t for record in durable.page("", ENTITIES).values() for t in record.event_times.values()}
    assert times == {newest}


def _read_until(servers: RealStores, contract: Contract, done: Callable[[], bool]) -> set[float]:
    """Read everybody in turn, hold each reading against the contract; return the event times that were seen."""
    store, seen, last = servers.store(), set[float](), dict[str, float]()
    number = 0
    while not done() or number < ENTITIES:
        who = f"c-{number * 7 % ENTITIES:05d}"
        number += 1
        reading = store.read(who, "me", {})
        assert reading.record is not None, reading
        now = time.time()
        resolved = resolve(contract, {}, reading, now)
        for name in contract.by_name:
            true_since = reading.record.event_times[name]
            assert reading.record.values[name] == true_since % 100_000, "a value with another one's time"
            assert true_since >= last.get(who, 0.0), "an older value came back"
            if now - true_since > AGE:
                assert name in resolved.stale
        assert bool(resolved.problems) == (now - reading.record.event_times["degraded"] > AGE)
        last[who] = min(reading.record.event_times.values())
        seen |= set(reading.record.event_times.values())
    return seen
