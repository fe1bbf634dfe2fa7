"""`ebb load` as a user meets it: good rows serve, bad ones are told, misuse is a sentence."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.home import ROOT, Home

CONTRACT = ROOT / "training/contracts/synthetic.toml"


@pytest.fixture(scope="module")
def up(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A local cloud of its own that holds no features yet."""
    home = Home(trained.folder, tmp_path_factory.mktemp("state"))
    home.ok("up", "--port", "0", "--detach")
    yield home
    assert home.ebb("down").returncode == 0


@pytest.fixture
def table(up: Home, tmp_path: Path) -> Path:
    """Ten customers, two of whom the contract refuses."""
    whole = pq.read_table(up.folder / "data/customers.parquet").slice(0, 10)
    ages = whole["age"].to_pylist()
    ages[3], ages[7] = -1, -2
    path = tmp_path / "some.parquet"
    pq.write_table(whole.set_column(whole.column_names.index("age"), "age", pa.array(ages)), path)
    return path


def test_loaded_customers_are_scored_and_refused_ones_are_told(up: Home, table: Path, tmp_path: Path) -> None:
    ids = pq.read_table(table)["customer_id"].to_pylist()
    told = up.json("load", str(table), "--refused", str(tmp_path / "refused.csv"))
    assert (told["rows"], told["loaded"], told["refused"], told["unrepaired"]) == (10, 8, 2, 0)
    with (tmp_path / "refused.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [(line[0], line[1], line[2]) for line in rows[1:]] == [("4", ids[3], "age"), ("8", ids[7], "age")]
    answer = up.json("score", ids[0])
    assert answer["degraded"] is False
    assert answer["features"]["tier"] == "fast"


def test_people_read_what_was_refused_and_where(up: Home, table: Path) -> None:
    said = up.ok("load", str(table), "--contract", str(CONTRACT))
    assert "Loaded some.parquet by the contract 'synthetic'" in said
    (line,) = [line for line in said.splitlines() if "2 rows, see " in line]
    assert Path(line.partition("see ")[2]).is_relative_to(up.state_home / "loads")


def test_another_problems_contract_and_other_misuse(up: Home, table: Path, tmp_path: Path) -> None:
    other = up.ebb("load", str(table), "--contract", str(ROOT / "training/contracts/telco.toml"))
    assert other.returncode == 2
    assert "the local cloud serves 'synthetic', but this contract describes 'telco'" in other.stderr
    nowhere = up.ebb("load", str(tmp_path / "none.csv"))
    assert nowhere.returncode == 1
    assert "there is no file" in nowhere.stderr
    away = Home(up.folder, tmp_path / "nobody").ebb("load", str(table))
    assert away.returncode == 1
    assert "no local cloud is up here" in away.stderr
    assert not any("Traceback" in done.stderr for done in (other, nowhere, away))


def test_without_a_release_the_contract_has_to_be_named(up: Home, table: Path, tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / "state")
    home.ok("up", "--port", "0", "--detach")
    try:
        nameless = home.ebb("load", str(table))
        assert nameless.returncode == 2
        assert "say which contract explains the columns with --contract" in nameless.stderr
        assert home.json("load", str(table), "--contract", str(CONTRACT))["loaded"] == 8
    finally:
        assert home.ebb("down").returncode == 0
    # What was loaded ahead serves as soon as there is a release.
    later = Home(up.folder, tmp_path / "state")
    later.ok("up", "--port", "0", "--detach")
    try:
        assert later.json("score", pq.read_table(table)["customer_id"][0].as_py())["degraded"] is False
    finally:
        assert later.ebb("down").returncode == 0


def test_up_tells_which_rows_it_refused(up: Home, table: Path, tmp_path: Path) -> None:
    home = Home(up.folder, tmp_path / "state")
    said = home.ok("up", "--data", str(table), "--port", "0", "--detach")
    try:
        (file,) = (home.state_home / "loads").glob("*.refused.csv")
        assert f"refused rows  {file}" in said
    finally:
        assert home.ebb("down").returncode == 0
