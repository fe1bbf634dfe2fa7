"""Servers and processes of the local cloud are killed while it answers: what is lost, and for how long."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet
import pytest

from local.servers.ports import is_listening
from tests.home import Home


@pytest.fixture
def ids(cloud: Home) -> list[str]:
    found: list[str] = pyarrow.parquet.read_table(cloud.folder / "data/customers.parquet")[0].to_pylist()
    return found


@pytest.fixture
def http(cloud: Home) -> Iterator[httpx.Client]:
    token = cloud.ok("token", "--client", "chaos", "--scope", "predict", "--scope", "features:write").strip()
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=cloud.state.url, headers=headers, timeout=30) as client:
        yield client


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _score(http: httpx.Client, entity_id: str) -> dict[str, Any]:
    response = http.post("/v1/predictions", json={"entity_id": entity_id})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_without_valkey_every_answer_comes_from_postgres_and_is_the_same(
    cloud: Home, http: httpx.Client, ids: list[str]
) -> None:
    before = [_score(http, who)["probability"] for who in ids[:20]]
    os.kill(cloud.state.children["valkey"].pid, signal.SIGSTOP)
    try:
        during = [_score(http, who) for who in ids[:20]]
    finally:
        os.kill(cloud.state.children["valkey"].pid, signal.SIGCONT)
    assert [answer["probability"] for answer in during] == before
    assert {answer["features"]["tier"] for answer in during} == {"durable"}
    assert not any(answer["degraded"] for answer in during)
    _until(lambda: _score(http, ids[0])["features"]["tier"] == "fast")


def test_a_killed_valkey_comes_back_empty_and_is_filled_by_reads(
    cloud: Home, http: httpx.Client, ids: list[str]
) -> None:
    killed = cloud.state.children["valkey"].pid
    os.kill(killed, signal.SIGKILL)
    assert _score(http, ids[0])["degraded"] is False
    _until(lambda: cloud.state.children["valkey"].pid != killed)
    _until(lambda: _score(http, ids[0])["features"]["tier"] == "fast")
    assert cloud.json("status")["processes"]["valkey"]["restarts"] >= 1


def test_a_killed_postgres_loses_nothing_that_was_acknowledged(cloud: Home, http: httpx.Client, ids: list[str]) -> None:
    written = http.put(f"/v1/features/{ids[30]}", json={"features": {"tenure_months": 77}})
    assert written.status_code == 200
    held = _score(http, ids[30])
    killed = cloud.state.children["postgres"].pid
    os.kill(killed, signal.SIGKILL)
    assert _score(http, ids[30])["probability"] == held["probability"]
    _until(lambda: cloud.state.children["postgres"].pid != killed)
    _until(lambda: http.put(f"/v1/features/{ids[31]}", json={"features": {"tenure_months": 3}}).status_code == 200)
    os.kill(cloud.state.children["valkey"].pid, signal.SIGKILL)
    _until(lambda: _score(http, ids[30])["features"]["tier"] in {"durable", "fast"})
    assert _score(http, ids[30])["probability"] == held["probability"]


def test_a_frozen_environment_is_killed_at_its_timeout_and_only_its_caller_sees_it(
    cloud: Home, http: httpx.Client, ids: list[str]
) -> None:
    _until(lambda: len([n for n in cloud.state.children if n.startswith("predict/")]) == 2)
    environments = [p.pid for n, p in cloud.state.children.items() if n.startswith("predict/")]
    os.kill(environments[0], signal.SIGSTOP)
    statuses = [http.post("/v1/predictions", json={"entity_id": ids[0]}).status_code for _ in range(40)]
    assert statuses.count(200) >= 39
    assert set(statuses) <= {200, 503}
    if 503 not in statuses:
        os.kill(environments[0], signal.SIGCONT)


def test_a_killed_supervisor_leaves_no_process_and_no_port(trained: Home, tmp_path: Path) -> None:
    home = Home(trained.folder, tmp_path / "state")
    home.ok("up", "--data", "data/customers.parquet", "--port", "0", "--detach")
    state = home.state
    ports = [port for _, port in state.ports if port]
    assert all(is_listening(port) for port in ports)
    os.kill(state.supervisor.pid, signal.SIGKILL)
    _until(lambda: not any(process.alive() for process in state.children.values()))
    _until(lambda: not any(is_listening(port) for port in ports))
    assert home.ebb("status").returncode == 1
    assert home.ebb("down").returncode == 0
    assert not (home.state_home / "up.json").exists()
    home.ok("up", "--port", "0", "--detach")
    home.ok("down")
