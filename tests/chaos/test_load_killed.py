"""A bulk load is killed, loses Postgres or Valkey: afterwards everything is as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis

from ebb.errors import Unavailable
from ebb.postgres.features import PostgresFeatures
from ebb.store.repair import drain
from ebb.valkey.features import ValkeyFeatures
from local.loading.database import connect
from local.loading.running import running_servers
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.servers import Servers
from tests.home import ROOT, Home
from tests.load.load_figures import servers_of, write_table
from training.synthesize import synthesize

ROWS = 60_000
KILLS = 4
_COPYING = "select count(*) from pg_stat_activity where state = 'active' and query like 'copy incoming%'"
_TABLES = (
    'select entity_id, version, event_time, times::text, "values"::text from features order by entity_id',
    'select entity_id, event_time::text, layout, "values" from history order by entity_id',
    "select rows_done, rows_refused, finished_at is not null from loads",
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    postgres = Postgres.start(tmp_path_factory.mktemp("postgres"), durable=False)
    try:
        valkey = Valkey.start(tmp_path_factory.mktemp("valkey"))
        try:
            yield servers_of(postgres, valkey)
        finally:
            valkey.stop()
    finally:
        postgres.stop()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_table(tmp_path_factory.mktemp("table"), ROWS)


def _contract(table: tuple[Path, Path], folder: Path, name: str) -> Path:
    """Return the table's contract with a database of its own, and some rows that it refuses."""
    path = folder / f"{name}.toml"
    text = table[1].read_text().replace('name = "bulk"', f'name = "{name}"')
    path.write_text(
        text.replace('name = "number_00"\nkind = "number"', 'name = "number_00"\nkind = "number"\nmax = 300')
    )
    return path


def _start(data: Path, contract: Path, loads: Path, servers: Servers) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.load.loading_process", str(data), str(contract), str(loads)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(servers)))
    process.stdin.close()
    process.stdin = None
    return process


def _finish(process: subprocess.Popen[str]) -> Any:
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(told)


def _asked(servers: Servers, name: str, sql: str) -> Any:
    connection = connect(servers, name)
    try:
        return connection.query(sql)
    finally:
        connection.close()


def _rows_done(servers: Servers, name: str) -> int:
    try:
        rows = _asked(servers, name, "select rows_done from loads")
    except Unavailable:  # not made yet, or not there right now
        return 0
    return int(rows[0][0]) if rows else 0


def _has_come(servers: Servers, name: str, rows: int) -> bool:
    return _rows_done(servers, name) >= rows


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def _refused(loads: Path) -> bytes:
    (file,) = loads.glob("*.refused.csv")
    return file.read_bytes()


@pytest.mark.timeout(300)
def test_a_load_that_was_killed_anywhere_ends_as_one_that_never_was(
    servers: Servers, table: tuple[Path, Path], tmp_path: Path
) -> None:
    data, names = table[0], ("whole", "killed")
    contracts = {name: _contract(table, tmp_path, name) for name in names}
    whole = _finish(_start(data, contracts["whole"], tmp_path / "whole", servers))
    with redis.Redis(port=servers.valkey_port) as client:
        client.flushall()  # the entities of both have the same names
    chance = np.random.default_rng(7)
    for kill in range(KILLS):
        process = _start(data, contracts["killed"], tmp_path / "killed", servers)
        aim = int(0.7 * ROWS * (kill + chance.random() / 2) / KILLS)
        _until(partial(_has_come, servers, "killed", aim))
        time.sleep(chance.random() * 0.1)  # anywhere within a batch
        process.kill()
        process.communicate()
    done = _rows_done(servers, "killed")
    last = _finish(_start(data, contracts["killed"], tmp_path / "killed", servers))
    assert 0 < done < ROWS
    assert last["resumed_from"] >= done
    assert last["refused"] == whole["refused"] > 0
    for sql in _TABLES:
        assert _asked(servers, "killed", sql) == _asked(servers, "whole", sql)
    assert _refused(tmp_path / "killed") == _refused(tmp_path / "whole")
    _agree(servers, "killed")


def _agree(servers: Servers, name: str) -> None:
    """Work off what was left to repair; then Valkey holds what Postgres holds."""
    durable = PostgresFeatures(connect(servers, name))
    fast = ValkeyFeatures(servers.host, servers.valkey_port, timeout=5.0)
    try:
        assert drain(durable, fast, 0.0, 1_000).away == ""
        assert durable.unsettled(0.0, 10) == []
        after = ""
        while page := durable.page(after, 5_000):
            assert fast.held(list(page)) == page
            after = max(page)
    finally:
        durable.close()
        fast.close()


@pytest.mark.timeout(300)
def test_without_an_answer_from_valkey_a_load_ends_and_leaves_its_notes(
    table: tuple[Path, Path], tmp_path: Path
) -> None:
    postgres = Postgres.start(tmp_path / "postgres", durable=False)
    try:
        valkey = Valkey.start(tmp_path / "valkey")
        try:
            servers = servers_of(postgres, valkey)
            process = _start(table[0], _contract(table, tmp_path, "stopped"), tmp_path / "loads", servers)
            _until(lambda: _rows_done(servers, "stopped") > 0)
            os.kill(valkey.pid, signal.SIGSTOP)
            try:
                told = _finish(process)
                assert told["rows"] == ROWS
                assert told["unrepaired"] > 0
                assert _asked(servers, "stopped", "select count(*) > 0 from repairs") == [[True]]
            finally:
                os.kill(valkey.pid, signal.SIGCONT)
            _agree(servers, "stopped")
        finally:
            valkey.stop()
    finally:
        postgres.stop()


@pytest.mark.timeout(300)
def test_postgres_killed_in_the_middle_of_a_copy_is_a_sentence_and_the_same_command_goes_on(
    trained: Home, tmp_path: Path
) -> None:
    home = Home(trained.folder, tmp_path / "state")
    data = synthesize(ROWS, 5, tmp_path / "data")
    home.ok("up", "--port", "0", "--detach")
    try:
        killed = home.state.children["postgres"].pid
        servers = running_servers(home.state, home.state_home)
        process = subprocess.Popen(
            [sys.executable, "-m", "local.entry", "load", str(data)],
            cwd=home.folder,
            env={**os.environ, "EBB_HOME": str(home.state_home), "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _until(lambda: _rows_done(servers, "synthetic") > 0)
        watch = connect(servers, "synthetic")
        _until(lambda: watch.query(_COPYING) == [[1]])
        os.kill(killed, signal.SIGKILL)
        watch.close()
        _, said = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "Traceback" not in said
        assert "what was loaded stays, and the same command again goes on after it" in said
        _until(lambda: "postgres" in home.state.children and home.state.children["postgres"].pid != killed)
        _until(lambda: _rows_done(servers, "synthetic") > 0)
        done = _rows_done(servers, "synthetic")
        told = home.json("load", str(data))
        assert 0 < done <= told["resumed_from"] < ROWS
        assert told["loaded"] == ROWS
        counted = "select (select count(*) from features), (select count(*) from history)"
        assert _asked(servers, "synthetic", counted) == [[ROWS, ROWS]]
        _agree(servers, "synthetic")
        assert home.json("load", str(data))["resumed_from"] == 0
        assert _asked(servers, "synthetic", counted) == [[ROWS, ROWS]]
    finally:
        assert home.ebb("down").returncode == 0
