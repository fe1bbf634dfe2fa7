"""A table into a stage over HTTPS: what the contract accepts arrives whole, once, and after every interruption."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ebb.client import Client
from ebb.contract import Contract, parse_contract
from ebb.errors import DataError, Misuse, Unavailable
from local.calling import Caller, caller_of
from local.calling.entrance import ROUTE
from local.calling.sentences import Refused
from local.calling.stage import StageEntrance
from local.loading.load import Table
from local.loading.over_https import PATIENT, load_over_https
from local.loading.position import Position
from local.loading.stage_contract import stage_contract
from tests.home import ROOT
from tests.integration.stage_case import AWS, CONTRACT, Stage, empty_stage
from training.progress import Silent

pytestmark = pytest.mark.timeout(300)
ROWS = 5_300
MEANT = parse_contract(CONTRACT, "its contract")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage that serves a release, and holds no features yet."""
    folder = tmp_path_factory.mktemp("stage")
    with empty_stage(folder) as stage, pytest.MonkeyPatch.context() as shell:
        for name, value in stage.environment().items():
            shell.setenv(name, value)
        caller_of("dev").promote(stage.publish(0.0))
        yield stage


@pytest.fixture
def caller(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Who calls it."""
    for name, value in stage.environment().items():
        monkeypatch.setenv(name, value)
    return caller_of("dev")


def _columns(name: str, rows: int, first: int = 0) -> dict[str, list[Any]]:
    numbers = range(first, first + rows)
    return {
        "id": [f"{name}-{n}" for n in numbers],
        "tenure": [n % 120 for n in numbers],
        "Monthly  spend": [None if n % 7 == 0 else n / 3 for n in numbers],
        "paperless": [n % 2 == 0 for n in numbers],
        "plan": ["basic" if n % 3 else "plus" for n in numbers],
        "city": ["" if n % 5 == 0 else f'Z\u00fcrich "{n % 4}"' for n in numbers],
    }


def _table(folder: Path, name: str, columns: dict[str, list[Any]], contract: Contract = MEANT) -> Table:
    path = folder / f"{name}.parquet"
    pq.write_table(pa.table(columns), path)
    return Table(path, contract, folder / "loads")


def _held(caller: Caller, entity_id: str) -> dict[str, Any]:
    document = caller.show_subject(entity_id, {})
    return {name: held["value"] for name, held in document["current"]["features"].items()}


def test_every_row_arrives_as_it_was_accepted(caller: Caller, tmp_path: Path) -> None:
    columns = _columns("all", ROWS)
    columns["tenure"][17] = columns["tenure"][2_400] = -1
    loaded = load_over_https(_table(tmp_path, "all", columns), caller, Silent())
    assert (loaded.rows, loaded.refused, loaded.erased, loaded.resumed_from, loaded.unrepaired) == (ROWS, 2, 0, 0, 0)
    assert loaded.refused_file is not None
    with loaded.refused_file.open(newline="") as file:
        lines = list(csv.reader(file))[1:]
    assert [(line[0], line[1], line[2]) for line in lines] == [
        ("18", "all-17", "tenure"),
        ("2401", "all-2400", "tenure"),
    ]
    assert _held(caller, "all-7") == {
        "tenure": 7,
        "spend": None,
        "paperless": 0,
        "plan": "basic",
        "city": 'Z\u00fcrich "3"',
    }
    assert _held(caller, "all-5298")["spend"] == pytest.approx(5298 / 3, rel=1e-7)
    assert caller.score("all-100", explain=False)["degraded"] is False
    for who in ("all-17", "all-2400"):
        with pytest.raises(Refused, match=r"404"):
            caller.show_subject(who, {})
    assert not list((tmp_path / "loads").glob("*.position.json"))


def test_the_same_again_changes_nothing(caller: Caller, tmp_path: Path) -> None:
    table = _table(tmp_path, "again", _columns("again", 1_500))
    first = load_over_https(table, caller, Silent())
    before = caller.show_subject("again-3", {})["current"]
    second = load_over_https(table, caller, Silent())
    assert (second.load, second.resumed_from, second.rows) == (first.load, 0, 1_500)
    assert caller.show_subject("again-3", {})["current"] == before


class _Interrupted(Exception):
    """Stands for Ctrl-C."""


@contextmanager
def _stopping(after: int) -> Iterator[Callable[[int], None]]:
    told = 0

    def advance(rows: int) -> None:
        nonlocal told
        told += rows
        if told >= after:
            raise _Interrupted

    yield advance


class StopsAt(Silent):
    """Progress that stops the load once so many rows are counted."""

    def __init__(self, after: int) -> None:
        self._after = after

    def step(self, title: str, total: int) -> Any:
        del title, total
        return _stopping(self._after)


def test_an_interrupted_load_goes_on_after_what_is_counted(caller: Caller, tmp_path: Path) -> None:
    columns = _columns("cut", ROWS)
    columns["tenure"][100], columns["tenure"][4_100] = -1, -1
    table = _table(tmp_path, "cut", columns)
    with pytest.raises(_Interrupted):
        load_over_https(table, caller, StopsAt(2_000))
    (position,) = (tmp_path / "loads").glob("*.position.json")
    assert json.loads(position.read_text()) == {"rows_done": 2_000, "rows_refused": 1}
    loaded = load_over_https(table, caller, Silent())
    assert (loaded.resumed_from, loaded.rows, loaded.refused) == (2_000, ROWS, 2)
    assert loaded.refused_file is not None
    assert [line.split(",")[0] for line in loaded.refused_file.read_text().splitlines()[1:]] == ["101", "4101"]
    for who in ("cut-0", "cut-1999", "cut-2000", "cut-5299"):
        assert _held(caller, who)["plan"] in {"basic", "plus"}


def test_a_killed_load_goes_on_after_what_is_counted(stage: Stage, caller: Caller, tmp_path: Path) -> None:
    assert caller
    home = replace(stage.home, state_folder=tmp_path / "operator")
    (tmp_path / "contract.toml").write_text(CONTRACT)
    table = _table(tmp_path, "killed", _columns("killed", 20_000))
    words = ["load", str(table.data), "--contract", str(tmp_path / "contract.toml"), "--stage", "dev", "--json"]
    environment = {**os.environ, "EBB_HOME": str(home.state_home)}
    silent: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "local.entry", *words], cwd=ROOT, env=environment, **silent)
    try:
        deadline = time.monotonic() + 120
        while process.poll() is None and not list(home.state_home.glob("loads/*.position.json")):
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    counted = [json.loads(path.read_text())["rows_done"] for path in home.state_home.glob("loads/*.position.json")]
    told = home.json(*words[:-1])
    assert told["resumed_from"] == sum(counted)
    assert (told["rows"], told["loaded"], told["refused"]) == (20_000, 20_000, 0)
    for row in (0, 999, 1_000, 12_345, 19_999):
        assert _held(caller_of("dev"), f"killed-{row}")["tenure"] == row % 120


def test_a_later_row_of_the_same_entity_wins_in_whatever_batch_it_stands(caller: Caller, tmp_path: Path) -> None:
    columns = _columns("twice", 3_000)
    for row in (1, 2, 999, 1_000, 2_500):
        columns["id"][row], columns["tenure"][row] = "twice-same", row % 100
    columns["tenure"][2_500] = 77
    loaded = load_over_https(_table(tmp_path, "twice", columns), caller, Silent())
    assert loaded.refused == 0
    assert _held(caller, "twice-same")["tenure"] == 77


def test_what_is_older_than_an_erasure_stays_erased(caller: Caller, tmp_path: Path) -> None:
    table = _table(tmp_path, "gone", _columns("gone", 1_200))
    caller.erase_subject("gone-5")
    caller.erase_subject("gone-1100")
    loaded = load_over_https(table, caller, Silent())
    assert (loaded.refused, loaded.erased) == (0, 2)
    assert caller.show_subject("gone-5", {})["current"]["features"] == {}


def test_rows_that_only_the_stage_refuses_are_told_like_the_others(caller: Caller, tmp_path: Path) -> None:
    wider = replace(
        MEANT, features=tuple(replace(f, maximum=200.0) if f.name == "tenure" else f for f in MEANT.features)
    )
    columns = _columns("wider", 1_010)
    columns["tenure"][3], columns["tenure"][1_005] = 150, 151
    loaded = load_over_https(_table(tmp_path, "wider", columns, wider), caller, Silent())
    assert loaded.refused == 2
    assert loaded.refused_file is not None
    lines = loaded.refused_file.read_text().splitlines()[1:]
    assert [line.split(",")[:3] for line in lines] == [["4", "wider-3", "tenure"], ["1006", "wider-1005", "tenure"]]
    assert _held(caller, "wider-4")["tenure"] == 4


def test_a_contract_of_another_problem_ends_the_load_at_once(caller: Caller, tmp_path: Path) -> None:
    named = replace(MEANT, features=tuple(replace(f, name=f"{f.name}_too") for f in MEANT.features), rules=MEANT.rules)
    with pytest.raises(DataError, match=r"refused there, the first one in row 1: .*is no feature of the contract"):
        load_over_https(_table(tmp_path, "other", _columns("other", 300), named), caller, Silent())


def test_a_stage_that_is_away_keeps_what_is_counted(caller: Caller, tmp_path: Path) -> None:
    table = _table(tmp_path, "away", _columns("away", 1_500))
    nowhere = Caller(StageEntrance.named("dev", {"EBB_STAGE_URL": "http://127.0.0.1:1"}))
    impatient = replace(PATIENT, deadline=1.0, retries=2)
    with pytest.raises(
        Unavailable, match=r"does not answer .*; what was loaded stays, and the same command again goes on"
    ):
        load_over_https(table, nowhere, Silent(), impatient)
    assert load_over_https(table, caller, Silent()).rows == 1_500


def test_a_plan_that_is_asked_too_much_is_waited_for(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three thousand rows are more than this client's plan lets in at once: the answer says when to ask again."""
    monkeypatch.setenv("EBB_HOME", str(stage.home.state_home))
    clients: list[Client] = []
    usual = Client.call

    def watched(self: Client, *given: Any, **named: Any) -> Any:
        clients.append(self)
        return usual(self, *given, **named)

    monkeypatch.setattr(Client, "call", watched)
    loaded = load_over_https(_table(tmp_path, "many", _columns("many", 3_000)), caller_of(None), Silent())
    assert (loaded.rows, loaded.refused) == (3_000, 0)
    assert clients[0].counts["retried"] > 0


def test_two_loads_of_one_table_do_not_run_at_once(tmp_path: Path) -> None:
    with (
        Position(tmp_path, "0123456789abcdef"),
        pytest.raises(Misuse, match=r"another process is loading the same table"),
    ):
        Position(tmp_path, "0123456789abcdef")
    with Position(tmp_path, "0123456789abcdef") as again:
        assert again.read().rows_done == 0


def test_every_row_refused_is_an_error(caller: Caller, tmp_path: Path) -> None:
    columns = _columns("bad", 20)
    columns["tenure"] = [-1] * 20
    with pytest.raises(DataError, match=r"every one of its 20 rows was refused"):
        load_over_https(_table(tmp_path, "bad", columns), caller, Silent())


def test_the_contract_is_the_champions_where_it_lies_here(stage: Stage, caller: Caller, tmp_path: Path) -> None:
    published = stage.home.state_home / "no-releases"
    assert stage_contract("dev", caller, None, published) == MEANT
    with pytest.raises(Misuse, match=r"the champion .* of the stage 'dev' does not lie in .*synthetic: say which"):
        stage_contract("dev", caller, None, tmp_path)
    (tmp_path / "tiny.toml").write_text(CONTRACT.replace("synthetic", "other"))
    with pytest.raises(Misuse, match=r"the stage 'dev' serves 'synthetic', but this contract describes 'other'"):
        stage_contract("dev", caller, tmp_path / "tiny.toml")


def test_the_commands_work_on_the_stage(stage: Stage, caller: Caller, tmp_path: Path) -> None:
    assert AWS
    assert caller
    home = replace(stage.home, state_folder=tmp_path / "operator")
    pyarrow.csv.write_csv(pa.table({**_columns("cli", 12), "tenure": [-1, *range(1, 12)]}), tmp_path / "some.csv")
    (tmp_path / "contract.toml").write_text(CONTRACT)
    words = ("load", str(tmp_path / "some.csv"), "--contract", str(tmp_path / "contract.toml"), "--stage", "dev")
    told = home.json(*words)
    assert (told["rows"], told["loaded"], told["refused"], told["unrepaired"]) == (12, 11, 1, 0)
    assert "cli-0" in Path(told["refused_file"]).read_text()
    assert "Loaded some.csv by the contract 'synthetic'" in home.ok(*words)
    assert home.json("score", "cli-3", "--stage", "dev")["entity_id"] == "cli-3"
    erased = home.json("subject", "erase", "cli-0", "--stage", "dev", "--yes")
    assert (erased["durable_tier"], erased["refused_rows"]) == ("erased", 1)
    assert "cli-0" not in Path(told["refused_file"]).read_text()
    assert home.json("subject", "show", "cli-3", "--stage", "dev")["current"]["features"]["tenure"]["value"] == 3
    shown = home.ok("releases", "--stage", "dev")
    assert "Releases of synthetic in the stage dev" in shown
    assert "champion" in shown
    assert home.json("releases", "--stage", "dev")["releases"][0]["verified"] is True
    two = stage.publish(3.0)
    assert two in home.ok("route", "promote", two, "--stage", "dev")
    assert home.json("route", "set", "--none", "--stage", "dev")["roles"][0]["release"] == two
    assert home.json("route", "rollback", "--stage", "dev")["roles"][0]["release"] != two
    assert home.json("route", "show", "--stage", "dev")["contract"] == "synthetic"
    token = home.ok("token", "--stage", "dev", "--client", "scoring").strip()
    assert token.count(".") == 2
    kept = [path.read_bytes() for path in home.state_home.rglob("*") if path.is_file()]
    for _, secret, _ in stage.allowed.values():
        assert not any(secret.encode() in content for content in kept)
    assert not any(token.encode() in content for content in kept)


def test_misuse_of_a_stage_is_one_sentence(stage: Stage, caller: Caller, tmp_path: Path) -> None:
    assert caller
    home = replace(stage.home, state_folder=tmp_path / "operator")
    unknown = home.ebb("route", "show", "--stage", "moon")
    assert (unknown.returncode, "there is no stage 'moon'" in unknown.stderr) == (2, True)
    gone = home.ebb("route", "show", "--stage", "prod")
    assert (gone.returncode, "is not deployed" in gone.stderr) == (1, True)
    table = home.ebb("score", "--data", "x.csv", "--out", "y.csv", "--stage", "dev")
    assert (table.returncode, "--stage is for one ENTITY_ID" in table.stderr) == (2, True)
    assert "Traceback" not in unknown.stderr + gone.stderr + table.stderr


def test_the_python_client_lists_the_releases_by_pages(stage: Stage, caller: Caller) -> None:
    stage.publish(7.0)
    with caller.client(ROUTE) as client:
        first = client.list_releases(limit=1)
        assert first.next == first.releases[0].version
        rest = client.list_releases(first.next or "")
        assert rest.next is None
        assert {each.version for each in (*first.releases, *rest.releases)} == {
            each["version"] for each in caller.releases()["releases"]
        }
        assert all(each.damage == "" for each in (*first.releases, *rest.releases))
