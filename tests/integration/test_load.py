"""A table's features in Postgres and Valkey: whole, as the contract reads them, and the same when loaded twice."""

from pathlib import Path

import numpy as np
import pytest

from ebb.errors import DataError, Unavailable
from ebb.features.inputs import accept_row, encode
from ebb.valkey import ValkeyFeatures
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
CONTRACT, _ = read_contract(ROOT / "training/contracts/synthetic.toml")


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
    with pytest.raises(Unavailable, match="could not make the database"):
        load_table(data, CONTRACT, nowhere, "tiny", Silent())


def test_contracts_do_not_share_a_database(servers: Servers) -> None:
    first, second = prepare_database(servers, "first-one"), prepare_database(servers, "second_one")
    first.merge_json([("e-1", 1.0, b'{"a": 1}')])
    assert first.read("e-1") is not None
    assert second.read("e-1") is None
    first.close()
    second.close()
