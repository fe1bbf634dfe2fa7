"""A subject's rights over HTTP and by command, on real servers: shown, erased for good, and the tiers agree after."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.fakes.contracts import ROW
from tests.home import Home
from tests.tiny_home import caller, in_postgres, in_valkey, postgres, tiny_home, write_table


def city_of(who: str) -> str:
    """Return a value that nobody else has."""
    return f"Canary of {who}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with tiny_home(tmp_path_factory.mktemp("home")) as up:
        yield up


@pytest.fixture(scope="module")
def http(home: Home) -> Iterator[httpx.Client]:
    with caller(home) as client:
        yield client


@pytest.fixture
def who(http: httpx.Client, request: pytest.FixtureRequest) -> str:
    """Return a subject of the test's own, written twice a minute ago."""
    entity_id = f"{request.node.name}/é"[-60:]
    write(http, entity_id, {**ROW, "city": city_of(entity_id)}, time.time() - 60)
    write(http, entity_id, {"tenure": 6}, time.time() - 50)
    return entity_id


def _path(entity_id: str, kind: str = "subjects") -> str:
    return f"/v1/{kind}/{httpx.QueryParams({'x': entity_id})!s}".replace("x=", "").replace("+", "%20")


def write(http: httpx.Client, entity_id: str, features: dict[str, Any], at: float) -> dict[str, Any]:
    response = http.put(_path(entity_id, "features"), json={"features": features, "event_time": at})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def show(http: httpx.Client, entity_id: str) -> dict[str, Any]:
    response = http.get(_path(entity_id))
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def erase(http: httpx.Client, entity_id: str) -> dict[str, Any]:
    response = http.delete(_path(entity_id))
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def score(http: httpx.Client, entity_id: str) -> httpx.Response:
    return http.post("/v1/predictions", json={"entity_id": entity_id})


def maintain(home: Home, task: str) -> dict[str, Any]:
    """Invoke the maintenance as its schedule does, but now."""
    url = f"{home.state.issuer}/2015-03-31/functions/maintain/invocations"
    document: dict[str, Any] = httpx.post(url, json={"task": task}, timeout=60).json()
    assert document["failed"] == {}
    return document


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_everything_held_is_shown_and_each_look_is_recorded(home: Home, http: httpx.Client, who: str) -> None:
    first = show(http, who)
    assert first["current"]["features"]["city"]["value"] == city_of(who)
    assert first["current"]["features"]["tenure"]["value"] == 6
    assert first["fast_tier"]["state"] == "agrees"
    assert [row["values"] for row in first["history"]] == [{"tenure": 6}, {**ROW, "city": city_of(who)}]
    by_command = home.json("subject", "show", who)
    assert by_command["current"] == first["current"]
    assert [(each["client"], each["action"]) for each in by_command["accesses"]] == [
        ("me", "export"),
        ("ebb-subject", "export"),
    ]
    told = home.ok("subject", "show", who)
    assert city_of(who) in told
    assert "ebb-subject" in told


def test_an_erased_subject_is_nowhere_and_a_late_event_is_told_so(home: Home, http: httpx.Client, who: str) -> None:
    assert score(http, who).json()["degraded"] is False
    before = show(http, who)["current"]
    erased = erase(http, who)
    assert (erased["durable_tier"], erased["fast_tier"]) == ("erased", "erased")
    assert erased["caches_clear_at"] <= time.time() + 60
    assert score(http, who).status_code == 404
    assert write(http, who, {"city": city_of(who)}, time.time() - 30)["written"] == 0
    batch = {"entities": [{"entity_id": who, "features": {"city": city_of(who)}, "event_time": time.time() - 30}]}
    assert http.post("/v1/features/batch", json=batch).json()["not_written"] == 1
    table = write_table(home.folder / "older.csv", [{"id": who, "city": city_of(who)}])
    os.utime(table, (time.time() - 40, time.time() - 40))
    assert home.json("load", str(table))["erased"] == 1
    assert score(http, who).status_code == 404
    assert city_of(who).encode() not in in_valkey(home.state.ports.valkey)
    connection = postgres(home)
    assert city_of(who) not in in_postgres(connection)
    connection.close()
    assert write(http, who, {**ROW, "tenure": 1}, time.time())["written"] == len(ROW)
    after = show(http, who)
    assert after["current"]["features"]["tenure"]["value"] == 1
    assert after["current"]["version"] > before["version"]
    assert len(after["history"]) == 1
    assert score(http, who).json()["features"]["tier"] == "fast"
    assert home.json("check")["agrees"]


def test_by_command_it_must_be_confirmed(home: Home, http: httpx.Client, who: str) -> None:
    refused = home.ebb("subject", "erase", who)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    code, told = typed(home, "n\n", "subject", "erase", who)
    assert code == 1
    assert "Nothing was erased" in told
    assert score(http, who).status_code == 200
    code, told = typed(home, "y\n", "subject", "erase", who)
    assert code == 0, told
    assert "Erased" in told
    assert score(http, who).status_code == 404
    assert home.json("subject", "erase", who, "--yes")["durable_tier"] == "erased"
    unknown = home.ebb("subject", "show", "nobody")
    assert unknown.returncode == 1
    assert "404" in unknown.stderr
    assert home.ebb("subject", "show", "a\tb").returncode == 2


def typed(home: Home, keys: str, *arguments: str) -> tuple[int, str]:
    """Run a command at a terminal, and answer its question."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "EBB_HOME": str(home.state_home)}
    command = [sys.executable, "-m", "local.entry", *arguments]
    with subprocess.Popen(
        command, cwd=home.folder, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        os.close(theirs)
        os.write(ours, keys.encode())
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, out.decode()


def test_an_erasure_while_valkey_is_silent_is_repaired_by_the_maintenance(
    home: Home, http: httpx.Client, who: str
) -> None:
    valkey = home.state.children["valkey"]
    assert score(http, who).status_code == 200
    assert valkey.send(signal.SIGSTOP)
    try:
        assert erase(http, who)["fast_tier"] == "pending"
        assert write(http, "others", ROW, time.time())["written"] == len(ROW)
        asked = score(http, who)
    finally:
        assert valkey.send(signal.SIGCONT)
    # Until the caches are clear the process may answer what it knew; nothing else may.
    assert asked.status_code == 404 or asked.json()["features"]["tier"] == "cache"
    until(lambda: home.json("check") == {**home.json("check"), "agrees": True, "pending": 0})
    assert show(http, who)["fast_tier"]["state"] == "agrees"
    assert score(http, who).status_code == 404


def test_a_killed_valkey_is_refilled_without_being_asked(home: Home, http: httpx.Client, who: str) -> None:
    body = {"entities": [{"entity_id": f"crowd-{number}", "features": ROW} for number in range(1_000)]}
    assert http.post("/v1/features/batch", json=body).status_code == 200
    erase(http, who)
    killed = home.state.children["valkey"]
    assert killed.send(signal.SIGKILL)
    until(lambda: home.state.children["valkey"].pid != killed.pid)

    def refilled() -> bool:
        found = home.json("check")
        return bool(found["checked"] >= 1_000 and found["cold"] == 0 and found["agrees"])

    until(refilled)
    with redis.Redis(port=home.state.ports.valkey) as valkey:
        assert not valkey.exists(f"f:{who}"), "who is erased is not put back"
    assert score(http, who).status_code == 404


def test_the_check_tells_what_disagrees_and_the_maintenance_puts_it_right(home: Home, who: str) -> None:
    key = f"f:{who}"
    with redis.Redis(port=home.state.ports.valkey) as valkey:
        held = valkey.get(key)
        assert held is not None
        valkey.set(key, b"9" * 16 + held[16:], px=3_600_000)
        done = home.ebb("check", "--json")
        assert done.returncode == 1
        assert '"newer": 1' in done.stdout
        assert who not in done.stdout
        told = home.ebb("check")
        assert (told.returncode, who in told.stdout, "newer" in told.stdout) == (1, False, True)
        valkey.set(key, b"0" * 15 + b"1" + held[16:], px=3_600_000)
        until(lambda: bool(maintain(home, "check")["check"]["repaired"]))
        assert (valkey.get(key) or b"")[:16] == held[:16]
    assert home.ok("check")


def test_the_commands_explain_themselves(tmp_path: Path) -> None:
    assert "erase" in Home(tmp_path).ebb("subject").stdout
    for command in ("show", "erase"):
        assert f"ebb subject {command} ID" in Home(tmp_path).ok("subject", command, "--help")


def test_a_check_needs_a_local_cloud(tmp_path: Path) -> None:
    for arguments in (("check",), ("subject", "show", "a"), ("subject", "erase", "a", "--yes")):
        done = Home(tmp_path).ebb(*arguments)
        assert done.returncode == 1
        assert "no local cloud is up here" in done.stderr
