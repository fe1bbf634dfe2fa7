"""A table's features in Postgres and Valkey: whole, as the contract reads them, and the same when loaded twice."""

import csv
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from ebb.contract import Contract, parse_contract
from ebb.errors import DataError, Misuse, Unavailable
from ebb.features.inputs import accept_row, encode
from ebb.ports import Access, FeatureRecord, FeatureUpdate
from ebb.postgres.address import PostgresAddress
from ebb.postgres.features import PostgresFeatures
from ebb.postgres.history import PostgresHistory
from ebb.postgres.subjects import PostgresSubjects
from ebb.valkey.features import ValkeyFeatures
from local.loading.database import connect, prepare_database
from local.loading.load import Loaded, Table, load_table
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.servers import Servers
from tests.fakes.made_contracts import contract_of
from tests.home import ROOT
from training.dataset import read_dataset
from training.progress import Progress, Silent
from training.synthesize import synthesize

ROWS = 20_000
TEXT = (ROOT / "training/contracts/synthetic.toml").read_text()
SMALL = ('name = "x"; kind = "number"; min = 0', 'name = "plan"; kind = "category"; missing = true')
NOW = time.time()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(ROWS, 3, tmp_path_factory.mktemp("data"))


@pytest.fixture
def servers(postgres_server: Postgres, valkey_server: Valkey) -> Servers:
    return Servers(valkey_server.port, postgres_server.address)


@pytest.fixture
def loads(tmp_path: Path) -> Path:
    return tmp_path / "loads"


def customers(name: str) -> Contract:
    """Return the contract of synthetic customers with a database of its own."""
    return parse_contract(TEXT.replace('name = "synthetic"', f'name = "{name}"', 1))


def small(name: str) -> Contract:
    return contract_of(*SMALL, name=name, entity="id", event_time="at")


def rows_of(tmp_path: Path, *rows: tuple[str, float, float | None, str]) -> Path:
    path = tmp_path / "t.parquet"
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    pyarrow.parquet.write_table(pa.table(columns, ["id", "at", "x", "plan"]), path)
    return path


@contextmanager
def durable(servers: Servers, contract: Contract) -> Iterator[PostgresFeatures]:
    tier = PostgresFeatures(connect(servers, contract.name))
    try:
        yield tier
    finally:
        tier.close()


def asked(servers: Servers, contract: Contract, sql: str) -> Any:
    connection = connect(servers, contract.name)
    try:
        return connection.query(sql)
    finally:
        connection.close()


def read(servers: Servers, contract: Contract, entity_id: str) -> FeatureRecord:
    with durable(servers, contract) as tier:
        held = tier.read(entity_id)
    assert held is not None
    return held


def test_what_was_loaded_is_what_training_reads_to_the_last_bit(servers: Servers, data: Path, loads: Path) -> None:
    contract = customers("loaded_once")
    loaded = load_table(Table(data, contract, loads), servers, Silent())
    assert (loaded.rows, loaded.refused, loaded.erased, loaded.unrepaired, loaded.resumed_from) == (ROWS, 0, 0, 0, 0)
    assert loaded.refused_file is None
    dataset = read_dataset(data, contract, labelled=False)
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=5.0)
    some = [str(who) for who in dataset.entity_ids[::97]]
    with durable(servers, contract) as tier:
        kept = tier.read_many(some)
    assert kept == fast.held(some)
    served = encode(contract, [accept_row(contract, kept[who].values) for who in some])
    expected = dataset.inputs.rows(slice(0, None, 97))
    assert np.array_equal(served.numbers, expected.numbers, equal_nan=True)
    assert served.categories.tolist() == expected.categories.tolist()
    assert asked(servers, contract, "select count(*) from repairs") == [[0]]
    fast.close()


def test_a_csv_of_the_same_rows_is_the_same(servers: Servers, data: Path, tmp_path: Path, loads: Path) -> None:
    contract, other = customers("of_parquet"), customers("of_csv")
    table = tmp_path / "t.csv"
    pyarrow.csv.write_csv(pyarrow.parquet.read_table(data).slice(0, 5_000), table)
    load_table(Table(table, other, loads), servers, Silent())
    load_table(Table(data, contract, loads), servers, Silent())
    for who in read_dataset(table, other, labelled=False).entity_ids[::501]:
        assert read(servers, other, str(who)).values == read(servers, contract, str(who)).values


def test_loading_twice_changes_no_value_and_no_history(servers: Servers, data: Path, loads: Path) -> None:
    contract = customers("loaded_twice")
    who = str(read_dataset(data, contract, labelled=False).entity_ids[0])
    first = load_table(Table(data, contract, loads), servers, Silent())
    held = read(servers, contract, who)
    again = load_table(Table(data, contract, loads), servers, Silent())
    assert (again.load, again.resumed_from) == (first.load, 0)
    after = read(servers, contract, who)
    assert (after.values, after.event_times, after.salt) == (held.values, held.event_times, held.salt)
    assert asked(servers, contract, "select (select count(*) from features), count(*) from history") == [[ROWS, ROWS]]
    connection = connect(servers, contract.name)
    (row,) = PostgresHistory(connection).history(who)
    connection.close()
    assert row.values == held.values


def test_a_bad_row_is_refused_with_its_reason_and_the_good_ones_go_on(
    servers: Servers, tmp_path: Path, loads: Path
) -> None:
    contract = small("some_refused")
    path = rows_of(
        tmp_path,
        ("a", NOW - 9, 1.0, "p"),
        ("b", NOW - 9, -1.0, "p"),
        ("", NOW - 9, 1.0, "p"),
        ("d", NOW + 9e6, 1.0, "p"),
        ("e", NOW - 9, None, "p"),
        ("f", NOW - 9, 2.0, ""),
    )
    loaded = load_table(Table(path, contract, loads, tmp_path / "mine.csv"), servers, Silent())
    assert (loaded.rows, loaded.refused) == (6, 4)
    assert loaded.refused_file == tmp_path / "mine.csv"
    with loaded.refused_file.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["row", "entity_id", "feature", "reason"],
            ["2", "b", "x", "is below the contract's minimum of 0"],
            ["3", "", "id", "is missing"],
            ["4", "d", "at", "lies in the future"],
            ["5", "e", "x", "is missing, but the contract does not allow it"],
        ]
    assert asked(servers, contract, "select entity_id from features order by 1") == [["a"], ["f"]]
    assert asked(servers, contract, "select rows_done, rows_refused, finished_at is not null from loads") == [
        [6, 4, True]
    ]


def test_a_row_of_a_csv_with_a_cell_too_few_is_refused_and_the_others_go_on(
    servers: Servers, tmp_path: Path, loads: Path
) -> None:
    contract, path = small("ragged"), tmp_path / "t.csv"
    path.write_text(
        f"id;at;x;plan\na;{NOW - 9};1;p\nb;1;p\nc;2020-01-01T00:00:00Z;3;p;q;r\nd;2024-01-01;2,5;p\ne;{NOW};2.5;p\n"
    )
    loaded = load_table(Table(path, contract, loads), servers, Silent())
    assert (loaded.rows, loaded.refused) == (5, 3)
    assert loaded.refused_file is not None
    with loaded.refused_file.open(newline="") as file:
        assert list(csv.reader(file))[1:] == [
            ["2", "", "", "has 3 cells, but the header has 4 columns"],
            ["3", "", "", "has 6 cells, but the header has 4 columns"],
            ["4", "d", "x", "is not a number"],
        ]
    assert asked(servers, contract, "select entity_id from features order by 1") == [["a"], ["e"]]


def test_a_table_of_refused_rows_only_is_an_error(servers: Servers, tmp_path: Path, loads: Path) -> None:
    path = rows_of(tmp_path, ("a", NOW - 9, -1.0, "p"), ("b", NOW - 9, -1.0, "p"))
    with pytest.raises(DataError, match="every one of its 2 rows was refused"):
        load_table(Table(path, small("all_refused"), loads), servers, Silent())


def test_a_table_that_does_not_fit_loads_nothing(servers: Servers, tmp_path: Path, loads: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("customer_id,age\nC1,old\n")
    with pytest.raises(DataError, match="is missing from the table"):
        load_table(Table(bad, customers("never_made"), loads), servers, Silent())
    connection = connect(servers, servers.postgres.database)
    assert connection.query("select 1 from pg_database where datname = 'never_made'") == []
    connection.close()


def test_a_server_that_is_gone_is_a_sentence(data: Path, loads: Path) -> None:
    nowhere = Servers(1, PostgresAddress("127.0.0.1", 1, "ebb", "p", "postgres"))
    with pytest.raises(Unavailable, match="Postgres does not answer"):
        load_table(Table(data, customers("tiny"), loads), nowhere, Silent())


def test_contracts_do_not_share_a_database(servers: Servers) -> None:
    first, second = small("first-one"), small("second_one")
    for contract in (first, second):
        prepare_database(servers, contract.name)
    with durable(servers, first) as here, durable(servers, second) as there:
        here.merge([FeatureUpdate("e-1", {"x": 1}, 1.0)])
        assert here.read("e-1") is not None
        assert there.read("e-1") is None


def test_a_key_that_repeats_is_updated_in_the_order_of_event_times(
    servers: Servers, tmp_path: Path, loads: Path
) -> None:
    contract = small("repeating")
    path = rows_of(
        tmp_path,
        ("late", NOW - 10, 3.0, "new"),
        ("late", NOW - 90, 1.0, "old"),
        ("equal", NOW - 50, 1.0, "first"),
        ("rising", NOW - 60, 1.0, "a"),
        ("equal", NOW - 50, 2.0, "second"),
        ("rising", NOW - 30, 2.0, "b"),
        ("rising", NOW - 20, 3.0, "c"),
    )
    load_table(Table(path, contract, loads), servers, Silent())
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=5.0)
    for who, plan in (("late", "new"), ("equal", "second"), ("rising", "c")):
        held = read(servers, contract, who)
        assert held.values["plan"] == plan
        assert fast.held([who])[who] == held
    fast.close()
    assert asked(servers, contract, "select entity_id, count(*) from history group by 1 order by 1") == [
        ["equal", 2], ["late", 2], ["rising", 3]
    ]  # fmt: skip


def test_loaded_features_are_as_old_as_their_table(servers: Servers, tmp_path: Path, loads: Path) -> None:
    """And never hide what was written since."""
    contract = contract_of(*SMALL, name="as_old", entity="id")
    path = rows_of(tmp_path, ("a", 0.0, 1.0, "p"))
    os.utime(path, (NOW - 3_600, NOW - 3_600))
    prepare_database(servers, contract.name)
    with durable(servers, contract) as tier:
        tier.merge([FeatureUpdate("a", {"x": 99}, NOW - 60)])
    load_table(Table(path, contract, loads), servers, Silent())
    held = read(servers, contract, "a")
    assert held.values == {"x": 99, "plan": "p"}
    assert held.event_times["plan"] == pytest.approx(NOW - 3_600, abs=1)


def test_a_table_from_the_future_is_true_from_now_on(servers: Servers, tmp_path: Path, loads: Path) -> None:
    contract = contract_of(*SMALL, name="touched", entity="id")
    path = rows_of(tmp_path, ("a", 0.0, 1.0, "p"))
    os.utime(path, (NOW + 9e5, NOW + 9e5))
    load_table(Table(path, contract, loads), servers, Silent())
    assert read(servers, contract, "a").event_times["x"] <= time.time()


def test_rows_from_before_an_erasure_change_nothing_and_are_told(servers: Servers, tmp_path: Path, loads: Path) -> None:
    contract = small("erased")
    prepare_database(servers, contract.name)
    with durable(servers, contract) as tier:
        tier.merge([FeatureUpdate("gone", {"x": 1}, NOW - 90), FeatureUpdate("back", {"x": 1}, NOW - 90)])
    connection = connect(servers, contract.name)
    subjects = PostgresSubjects(connection)
    for who in ("gone", "back"):
        subjects.erase(who, Access(NOW, "me", "erase", "c-1"))
    connection.close()
    path = rows_of(tmp_path, ("gone", NOW - 50, 5.0, "p"), ("back", time.time() + 60, 5.0, "p"), ("new", NOW, 5.0, "p"))
    loaded = load_table(Table(path, contract, loads), servers, Silent())
    assert (loaded.rows, loaded.erased, loaded.refused) == (3, 1, 0)
    assert read(servers, contract, "gone").is_tombstone
    assert read(servers, contract, "back").values == {"x": 5, "plan": "p"}


def test_without_valkey_the_load_goes_on_and_leaves_its_notes(servers: Servers, tmp_path: Path, loads: Path) -> None:
    contract = small("no_valkey")
    away = replace(servers, valkey_port=1)
    path = rows_of(tmp_path, ("a", NOW - 9, 1.0, "p"), ("b", NOW - 9, 1.0, "p"))
    loaded = load_table(Table(path, contract, loads), away, Silent())
    assert loaded.unrepaired == 1
    assert read(servers, contract, "a").values["x"] == 1
    with durable(servers, contract) as tier:
        (note,) = tier.unsettled(0.0, 10)
    assert sorted(note.entity_ids) == ["a", "b"]


class _Interrupting:
    """A progress whose reader loses patience after some rows."""

    def __init__(self, after: int) -> None:
        self._left = after

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        assert (title, total) == ("Load features", ROWS)

        def done(rows: int) -> None:
            self._left -= rows
            if self._left < 0:
                raise KeyboardInterrupt

        yield done


def test_an_interrupted_load_goes_on_where_it_stopped(
    servers: Servers, data: Path, tmp_path: Path, loads: Path
) -> None:
    contract = customers("interrupted")
    table = pyarrow.parquet.read_table(data)
    age = table["age"].to_pylist()
    bad = [-5 if i % 3_333 == 0 else value for i, value in enumerate(age)]
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(table.set_column(table.column_names.index("age"), "age", pa.array(bad)), path)
    runs: list[Loaded] = []
    interrupting: list[Progress] = [_Interrupting(4_000), _Interrupting(9_000), Silent()]
    for progress in interrupting:
        try:
            runs.append(load_table(Table(path, contract, loads), servers, progress))
        except KeyboardInterrupt:
            continue
    (last,) = runs
    assert 8_000 <= last.resumed_from < ROWS
    assert last.refused_file is not None
    with last.refused_file.open(newline="") as file:
        assert [int(line[0]) for line in list(csv.reader(file))[1:]] == [1 + 3_333 * i for i in range(7)]
    assert last.refused == 7
    counts = (
        "select (select count(*) from features), count(*), max(version) from history join features using (entity_id)"
    )
    assert asked(servers, contract, counts) == [[ROWS - 7, ROWS - 7, 1]]


def test_two_loads_of_one_table_at_once_are_refused(servers: Servers, tmp_path: Path, loads: Path) -> None:
    contract = small("at_once")
    path = rows_of(tmp_path, ("a", NOW - 9, 1.0, "p"))
    load = load_table(Table(path, contract, loads), servers, Silent()).load
    other = connect(servers, contract.name)
    other.query(f"select pg_advisory_lock({int(load[:15], 16)})")
    with pytest.raises(Misuse, match=r"another process is loading t\.parquet right now"):
        load_table(Table(path, contract, loads), servers, Silent())
    other.close()
    load_table(Table(path, contract, loads), servers, Silent())
