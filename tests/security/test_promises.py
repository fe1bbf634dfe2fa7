"""A whole local cloud under odd calls: only loopback listens, and nothing personal stands in any log or problem."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from local.identity import Identity
from local.servers.process_id import ProcessId
from tests.home import Home

PERSON, WHO = "Ada-Lovelace-1815", "ada.lovelace@example.org"
JSON = {"content-type": "application/json"}
_LISTEN, _LOOPBACK = "0A", ("0100007F", "00000000000000000000000001000000")


@pytest.fixture(scope="module")
def caller(cloud: Home) -> Iterator[httpx.Client]:
    identity, now = Identity.load_or_create(cloud.state_home), int(time.time())
    claims = {"iss": cloud.state.issuer, "aud": "ebb", "sub": PERSON, "client_id": PERSON, "exp": now + 300}
    claims["scope"] = "predict explain features:write"
    token = jwt.encode(claims, identity.key, "RS256", headers={"kid": identity.kid})
    headers = {"authorization": f"Bearer {token}", "x-person": PERSON, "cookie": f"who={PERSON}"}
    with httpx.Client(base_url=cloud.state.url, headers=headers, timeout=30) as client:
        yield client


def processes(cloud: Home) -> list[ProcessId]:
    """Return everything that the local cloud started, with the children of its servers."""
    known = {cloud.state.supervisor.pid, *(child.pid for child in cloud.state.children.values())}
    while True:
        more = {
            int(entry.parent.name)
            for entry in Path("/proc").glob("[0-9]*/stat")
            if entry.exists() and int(entry.read_text().rpartition(")")[2].split()[1]) in known
        }
        if more <= known:
            return [found for pid in known if (found := ProcessId.of(pid))]
        known |= more


def listening(pids: set[int]) -> list[str]:
    """Return the local address, in /proc/net/tcp's hexadecimal, of each listening socket of these processes."""
    inodes = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if descriptor.is_symlink() and (target := str(descriptor.readlink())).startswith("socket:["):
                inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == _LISTEN or table.startswith("udp")):
                found.append(fields[1].partition(":")[0])
    return found


def test_nothing_but_loopback_listens(cloud: Home) -> None:
    addresses = listening({process.pid for process in processes(cloud)})
    assert len(addresses) >= len([port for _, port in cloud.state.ports])
    assert set(addresses) <= set(_LOOPBACK)


def odd_calls(caller: httpx.Client) -> Iterator[httpx.Response]:
    """Make calls that are refused, each with something personal in it."""
    bodies: list[Any] = [
        {"entity_id": WHO, "features": {"monthly_charges": PERSON}},
        {"entity_id": WHO + "\0"},
        {"entity_id": WHO, "features": {"city": PERSON + "\0", "monthly_charges": -1e30}},
        {"entity_id": WHO, "features": {"city": [PERSON]}},
        {"entity_id": [WHO]},
    ]
    for body in bodies:
        yield caller.post("/v1/predictions", json=body)
        yield caller.post("/v1/features/batch", json={"entities": [body]})
        yield caller.put(f"/v1/features/{WHO}", json={"features": body.get("features", {})})
    yield caller.post("/v1/predictions", content=f'{{"entity_id": "{WHO}", {PERSON}}}', headers=JSON)
    yield caller.post("/v1/predictions", json={"entity_id": WHO})
    yield caller.put(f"/v1/features/{WHO}%00", json={"features": {"city": PERSON}})
    yield caller.put(f"/v1/features/{WHO}%ff", json={"features": {"city": PERSON}})
    yield caller.get(f"/{WHO}", params={"who": PERSON})
    yield caller.post("/v1/predictions", headers={"authorization": f"Bearer {PERSON}"})


def test_odd_calls_are_refused_without_repeating_or_logging_anyone(cloud: Home, caller: httpx.Client) -> None:
    for response in odd_calls(caller):
        assert 400 <= response.status_code < 500, response.text
        assert PERSON not in response.text
        assert WHO not in response.text
    for path in ("/openapi.json", "/v1/health", "/v1/releases"):
        for query in ("", "?a=%ff&b=%00", "?" + "x=&" * 500, f"?who={PERSON}"):
            content = b"\xff\x00" if query else b""
            response = caller.request("GET", path + query, headers={b"x-odd": b"\xff"}, content=content)
            assert response.status_code == 200, response.text
            assert PERSON not in response.text
    logs = [path for path in cloud.state_home.rglob("*") if path.is_file() and "log" in path.name]
    assert any("predict" in path.name for path in logs)
    for log in logs:
        text = log.read_text(errors="replace")
        assert not any(word in text for word in (PERSON, WHO, "Traceback")), log


def test_no_secret_lies_open(cloud: Home) -> None:
    assert cloud.state_home.stat().st_mode & 0o077 == 0
    secrets = [(cloud.state_home / "postgres/cluster/password").read_text(), "BEGIN PRIVATE KEY"]
    for process in processes(cloud):
        told = Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace")
        assert not any(secret in told for secret in secrets)
    for path in cloud.state_home.rglob("*log*"):
        if path.is_file():
            assert not any(secret in path.read_text(errors="replace") for secret in secrets)


def test_a_valkey_that_holds_garbage_is_no_500(cloud: Home, caller: httpx.Client) -> None:
    import redis  # noqa: PLC0415 - only this test writes past Ebb

    with redis.Redis(port=cloud.state.ports.valkey) as valkey:
        for garbage in (b"", b"x", b"0" * 16, b"0" * 16 + b"{}", b"0" * 16 + b'{"t":1,"o":{},"v":[]}', b"\xff" * 40):
            valkey.set("f:garbled", garbage)
            answered = caller.post("/v1/predictions", json={"entity_id": "garbled"})
            assert answered.status_code == 404, (garbage, answered.text)
        valkey.delete("f:garbled")
        valkey.lpush("f:listed", "x")
        assert caller.post("/v1/predictions", json={"entity_id": "listed"}).status_code == 404
        valkey.delete("f:listed")
