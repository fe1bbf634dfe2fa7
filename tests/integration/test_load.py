"""A table's features in Postgres and Valkey: whole, as the contract reads them, and the same when loaded twice."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import redis

from ebb.contract import parse_contract
from ebb.errors import DataError, Unavailable
from ebb.features.inputs import accept_row, encode
from ebb.ports import FeatureRecord, FeatureUpdate
from ebb.valkey.features import ValkeyFeatures
from local.load import load_table, prepare_database
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.plan import Servers
from tests.home import ROOT
from training.dataset import read_dataset
from training.pipeline import read_contract
from training.progress import Silent
from training.synthesize import synthesize

ROWS = 5_000
CONTRACT, CONTRACT_TEXT = read_contract(ROOT / "training/contracts/synthetic.toml")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(ROWS, 3, tmp_path_factory.mktemp("data"))


@pytest.fixture
def servers(postgres_server: Postgres, valkey_server: Valkey) -> Servers:
    return Servers(
        valkey_server.port,
        postgres_server.port,
        postgres_server.user,
        postgres_server.password,
        postgres_server.database,
        postgres_server.dsn,
    )


def test_what_was_loaded_is_what_training_reads_to_the_last_bit(servers: Servers, data: Path) -> None:
    assert load_table(data, CONTRACT, servers, "loaded-once", Silent()) == ROWS
    dataset = read_dataset(data, CONTRACT, labelled=False)
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=5.0)
    durable = prepare_database(servers, "loaded-once")
    for i in range(0, ROWS, 97):
        who = str(dataset.entity_ids[i])
        kept, cached = durable.read(who), fast.read(who)
        assert kept is not None
        assert kept == cached
        served = encode(CONTRACT, [accept_row(CONTRACT, kept.values)])
        expected = dataset.inputs.rows(slice(i, i + 1))
        assert np.array_equal(served.numbers, expected.numbers, equal_nan=True)
        assert served.categories.tolist() == expected.categories.tolist()
    durable.close()


def test_loading_twice_changes_no_value(servers: Servers, data: Path) -> None:
    load_table(data, CONTRACT, servers, "loaded-twice", Silent())
    durable = prepare_database(servers, "loaded-twice")
    who = str(read_dataset(data, CONTRACT, labelled=False).entity_ids[0])
    first = durable.read(who)
    load_table(data, CONTRACT, servers, "loaded-twice", Silent())
    again = durable.read(who)
    assert first is not None
    assert again is not None
    assert again.values == first.values
    assert again.version == first.version + 1
    with durable._connection.use() as connection:
        assert connection.run("select count(*) from features") == [[ROWS]]
    durable.close()


def test_a_table_that_does_not_fit_loads_nothing(servers: Servers, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("customer_id,age\nC1,old\n")
    with pytest.raises(DataError):
        load_table(bad, CONTRACT, servers, "never-made", Silent())
    durable = prepare_database(servers, "never-made")
    assert durable.read("C1") is None
    durable.close()


def test_a_server_that_is_gone_is_a_sentence(data: Path) -> None:
    nowhere = Servers(1, 1, "ebb", "p", "postgres", "")
    with pytest.raises(Unavailable, match="Postgres does not answer"):
        load_table(data, CONTRACT, nowhere, "tiny", Silent())


def test_contracts_do_not_share_a_database(servers: Servers) -> None:
    first, second = prepare_database(servers, "first-one"), prepare_database(servers, "second_one")
    first.merge_json([("e-1", 1.0, b'{"a": 1}')])
    assert first.read("e-1") is not None
    assert second.read("e-1") is None
    first.close()
    second.close()


def test_loaded_features_are_as_old_as_their_table(servers: Servers, data: Path, tmp_path: Path) -> None:
    """And never hide what was written since."""
    old = tmp_path / "old.parquet"
    shutil.copy(data, old)
    hour_ago = time.time() - 3600
    os.utime(old, (hour_ago, hour_ago))
    who = str(read_dataset(data, CONTRACT, labelled=False).entity_ids[0])
    durable = prepare_database(servers, "as-old")
    durable.merge([FeatureUpdate(who, {"tenure_months": 99}, time.time() - 60)])
    load_table(old, CONTRACT, servers, "as-old", Silent())
    held = durable.read(who)
    assert held is not None
    assert held.values["tenure_months"] == 99
    assert held.event_times["age"] == pytest.approx(hour_ago, abs=1)
    durable.close()


def test_a_contracts_event_time_is_each_rows_own(servers: Servers, data: Path, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(data).slice(0, 3)
    times = [1_700_000_000.0, 1_700_000_001.0, time.time() + 9e6]
    path = tmp_path / "timed.parquet"
    pyarrow.parquet.write_table(table.append_column("seen", pa.array(times)), path)
    timed = parse_contract(CONTRACT_TEXT.decode() + '\n[event_time]\ncolumn = "seen"\n')
    load_table(path, timed, servers, "timed", Silent())
    durable = prepare_database(servers, "timed")
    held = [durable.read(who) for who in table["customer_id"].to_pylist()]
    found = [record.event_times["age"] for record in held if record is not None]
    assert found[:2] == times[:2]
    assert found[2] <= time.time()
    durable.close()


def test_a_failed_write_to_the_fast_tier_forgets_the_old_record(valkey_server: Valkey) -> None:
    tier = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0)
    tier.put({"forgotten": FeatureRecord({"a": 1}, {"a": 1.0}, 1)})
    with redis.Redis(port=valkey_server.port) as client:
        client.config_set("maxmemory", "1")
        client.config_set("maxmemory-policy", "noeviction")
        try:
            with pytest.raises(Unavailable):
                tier.put({"forgotten": FeatureRecord({"a": 2}, {"a": 2.0}, 2)})
            assert tier.read("forgotten") is None
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "allkeys-lru")
