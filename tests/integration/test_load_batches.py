"""A batch of a load counts with its checkpoint and its refused rows, or not at all."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from ebb.contract import Contract
from ebb.errors import Unavailable
from ebb.postgres.bulk import PostgresBulk
from ebb.postgres.features import PostgresFeatures
from ebb.valkey.features import ValkeyFeatures
from local.loading.cells import layout
from local.loading.database import connect, prepare_database
from local.loading.preparing import Preparing
from local.loading.refused import Line, RefusedFile
from local.loading.road import Prepared, Road
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.servers import Servers
from tests.fakes.made_contracts import contract_of
from training.dataset.stream import open_stream

LOAD = "0" * 16


class Full(RefusedFile):
    """The file of refused rows on a disk without room."""

    def add(self, lines: Iterable[Line]) -> None:
        raise Unavailable(f"{len(list(lines))} lines cannot be written")


@pytest.fixture
def servers(postgres_server: Postgres, valkey_server: Valkey) -> Servers:
    return Servers(valkey_server.port, postgres_server.address)


@pytest.fixture
def contract(request: pytest.FixtureRequest) -> Contract:
    return contract_of('name = "x"; kind = "number"; min = 0', name=request.node.name[:40], entity="id")


@pytest.fixture
def bulk(servers: Servers, contract: Contract) -> Iterator[PostgresBulk]:
    prepare_database(servers, contract.name)
    made = PostgresBulk(connect(servers, contract.name), contract.history_keep)
    yield made
    made.close()


def _prepared(bulk: PostgresBulk, contract: Contract, folder: Path) -> Prepared:
    """Return a batch of two good rows and one that is refused."""
    data = folder / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"id": ["a", "b", "c"], "x": [1.0, -1.0, 3.0]}), data)
    begun = bulk.begin(LOAD, "t.parquet", contract.name)
    (batch,) = Preparing(open_stream(data), contract, begun, bulk.layout(layout(contract))).batches()
    assert len(batch.refused) == 1
    return batch


def _counts(servers: Servers, contract: Contract) -> list[int]:
    connection = connect(servers, contract.name)
    try:
        counts: list[int] = connection.query(
            "select (select count(*) from features), (select count(*) from history), (select count(*) from repairs),"
            " (select rows_done from loads)"
        )[0]
    finally:
        connection.close()
    return counts


def test_rows_do_not_count_without_the_lines_about_the_refused_ones(
    servers: Servers, bulk: PostgresBulk, contract: Contract, tmp_path: Path
) -> None:
    fast = ValkeyFeatures("127.0.0.1", servers.valkey_port, timeout=1.0)
    notes = PostgresFeatures(connect(servers, contract.name))
    batch = _prepared(bulk, contract, tmp_path)
    with Road(LOAD, bulk, fast, notes, Full(tmp_path, LOAD, None)) as road:
        road.send(batch)
        with pytest.raises(Unavailable, match="1 lines cannot be written"):
            road.drain()
    assert _counts(servers, contract) == [0, 0, 0, 0]


def test_rows_do_not_count_without_their_checkpoint(
    servers: Servers, bulk: PostgresBulk, contract: Contract, tmp_path: Path
) -> None:
    batch = _prepared(bulk, contract, tmp_path)
    holder = connect(servers, contract.name)
    # Its own patience is that of a load, ten seconds: for as long it waits for the row that another one holds.
    with holder.transaction() as held:
        held.run("select 1 from loads for update")
        with pytest.raises(Unavailable):
            bulk.merge_batch(LOAD, batch.texts, batch.event_times, batch.checkpoint)
    holder.close()
    assert _counts(servers, contract) == [0, 0, 0, 0]
    assert len(bulk.merge_batch(LOAD, batch.texts, batch.event_times, batch.checkpoint).records) == 2
    assert _counts(servers, contract) == [2, 2, 1, 3]
