"""No personal value stands in any log, metric, file or message: canaries go in by every road, and are looked for."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ebb.folder import FolderReleases
from local.servers.process_id import ProcessId
from tests.fakes.releases import tiny_release, version_in
from tests.home import Home
from tests.tiny_home import PERSONAL, caller, in_postgres, in_valkey, postgres, tiny_home, write_table

CITY, SPEND = "Canary-City-4711", "48151623.25"
"""Values."""

WHO = "canary.lovelace@example.org"
"""An entity: it may stand in a tombstone, an access and the file of refused rows until it is erased."""

ODD = "Canary-Odd-0815"
"""What is neither: names of features, keys, paths, headers. A caller may be told their own, a log nobody's."""

NUMBER = SPEND.split(".", maxsplit=1)[0]
ALL, ANSWERED = (CITY, NUMBER, WHO, ODD), (CITY, NUMBER, WHO)
ROW: dict[str, Any] = {"tenure": 5, "spend": float(SPEND), "paperless": True, "plan": "basic", "city": CITY}


class Told:
    """Keeps what commands printed and what callers were answered."""

    def __init__(self, home: Home, http: httpx.Client) -> None:
        self.home, self.http, self.texts = home, http, list[str]()

    def run(self, *arguments: str) -> int:
        done = self.home.ebb(*arguments)
        self.texts += [done.stdout, done.stderr]
        return done.returncode

    def refused(self, method: str, path: str, **more: Any) -> None:
        """Make a call that must not succeed, and keep the answer: it may not repeat what was sent."""
        response = self.http.request(method, path, **more)
        assert response.status_code >= 400, response.text
        self.texts.append(response.text + str(response.headers))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with tiny_home(tmp_path_factory.mktemp("home")) as home, caller(home) as http:
        yield Told(home, http)


def _accepted(told: Told) -> None:
    """Write and read by every road."""
    http = told.http
    assert http.put(f"/v1/features/{WHO}", json={"features": ROW}).status_code == 200
    assert http.post("/v1/features/batch", json={"entities": [{"entity_id": WHO, "features": ROW}]}).is_success
    for _ in range(2):  # a key that a caller made of what is personal
        key = {"idempotency-key": f"{WHO} {CITY} {ODD}"}
        assert http.put(f"/v1/features/{WHO}", json={"features": ROW}, headers=key).is_success
        assert http.post("/v1/features/batch", json={"entities": []}, headers={"idempotency-key": WHO}).is_client_error
    for explain in (False, True):
        assert http.post("/v1/predictions", json={"entity_id": WHO, "explain": explain}).is_success
        assert http.post("/v1/predictions", json={"entity_id": ODD, "features": ROW, "explain": explain}).is_success
    bad: list[dict[str, object]] = [
        {"id": WHO, "plan": CITY, "tenure": 999},
        {"id": f"{WHO}-2", "city": CITY, "tenure": CITY},
    ]
    good: list[dict[str, object]] = [
        {"id": f"{WHO}-{number}", "city": CITY, "Monthly  spend": SPEND} for number in range(3, 30)
    ]
    table = write_table(told.home.folder / "data.csv", [*bad, *good])
    assert told.run("load", str(table)) == 0
    assert told.run("load", str(table), "--json") == 0


def _in_every_role(told: Told) -> None:
    """Have a challenger, a cheap release and a shadow score canaries, alone and in batches; the change has a key."""
    home, http, store = told.home, told.http, FolderReleases(told.home.folder / "releases")
    versions = []
    for bias in (0.5, 1.0, 2.0):
        files = tiny_release(bias, PERSONAL)
        versions.append(version_in(files))
        store.write("tiny", versions[-1], files)
    challenger, cheap, shadow = versions
    roles = {
        "challengers": [{"release": challenger, "weight": 0.3}],
        "cheap": {"release": cheap, "weight": 0.3, "margin": 0.3},
        "shadow": {"release": shadow, "budget_ms": 1000},
    }
    boss = {"authorization": f"Bearer {home.ok('token', '--client', 'boss', '--scope', 'admin').strip()}"}
    changed = http.put("/v1/routing", json=roles, headers={**boss, "idempotency-key": f"{WHO} {ODD}"})
    assert changed.is_success, changed.text
    for odd in ({"challengers": [{"release": WHO, "weight": 0.1}]}, {"shadow": CITY}, {"based_on": SPEND}):
        told.refused("PUT", "/v1/routing", json=odd, headers=boss)
    table = changed.json()["version"]
    _until(lambda: _in_force(http, table))
    entities: list[Any] = [{"entity_id": f"{WHO}-{number}", "features": ROW} for number in range(60)]
    odd_items: list[Any] = [
        {"entity_id": WHO, "features": {"city": [CITY]}},
        {"entity_id": WHO, "features": {"tenure": CITY}},
        {"entity_id": WHO, ODD: CITY},
        {"entity_id": f"{WHO}\0"},
        [WHO, CITY],
        CITY,
    ]
    variants = set()
    for explain in (False, True):
        answer = http.post("/v1/predictions/batch", json={"entities": [*entities, *odd_items], "explain": explain})
        assert answer.is_success, answer.text
        variants |= {one["variant"] for one in answer.json()["predictions"] if "variant" in one}
        problems = [one["error"] for one in answer.json()["predictions"] if "error" in one]
        assert len(problems) == len(odd_items)
        told.texts += map(str, problems)
    assert {"champion", "challenger"} <= variants
    told.refused("POST", "/v1/predictions/batch", json={"entities": [{"entity_id": WHO}] * 1_001})
    told.refused("POST", "/v1/predictions/batch", json={"entities": CITY, "explain": True})


def _in_force(http: httpx.Client, version: int) -> bool:
    """Ask, which tells the environment of the table, and look whether it is in force."""
    assert http.post("/v1/predictions", json={"entity_id": WHO, "features": ROW}).is_success
    return bool(http.get("/v1/releases").json()["routing"] == version)


def _odd_calls(told: Told) -> None:
    """Make every kind of call that is refused."""
    bodies: list[Any] = [
        {"features": {"city": [CITY]}},
        {"features": {"tenure": CITY, "plan": CITY, "spend": CITY, "paperless": CITY}},
        {"features": {ODD: CITY}},
        {"features": {"city": CITY + "\0"}},
        {"features": {"spend": 1e300, "tenure": float(SPEND), "city": CITY}},
        {"features": {"city": CITY}, "event_time": SPEND},
        {"features": {"city": CITY}, "event_time": 9e15},
        {"features": CITY},
        {"features": {"city": CITY}, "when": SPEND},
        [ODD],
        ODD,
    ]
    for body in bodies:
        told.refused("PUT", f"/v1/features/{WHO}", json=body)
        told.refused("POST", "/v1/predictions", json={**body, "entity_id": WHO} if isinstance(body, dict) else body)
        told.refused("POST", "/v1/features/batch", json={"entities": [body]})
    for path in (f"/v1/features/{WHO}%00", f"/v1/features/{WHO}%ff", f"/v1/features/{WHO}%0A"):
        told.refused("PUT", path, json={"features": ROW})
        told.refused("GET", path.replace("features", "subjects"))
        told.refused("DELETE", path.replace("features", "subjects"))
    for content in (f'{{"entity_id": "{WHO}", {ODD}}}', f'{{"features": {{"city": "{CITY}"', "x" * 70_000 + CITY):
        for sent in ({"content-type": "application/json"}, {}):
            told.refused("POST", "/v1/predictions", content=content, headers=sent)
            told.refused("PUT", f"/v1/features/{WHO}", content=content, headers=sent)
    key = {"idempotency-key": f"{WHO} {CITY} {ODD}"}
    told.refused("PUT", f"/v1/features/{WHO}", json={"features": {"city": CITY}}, headers=key)
    told.refused("POST", "/v1/predictions", content=CITY, headers={"content-type": f"text/plain; of={CITY}{ODD}"})
    told.refused("POST", "/v1/predictions", json={"entity_id": WHO}, headers={"ebb-purpose": f"{CITY} {ODD}"})
    told.refused("POST", "/v1/predictions", json={"entity_id": f"{ODD}-nobody"})
    told.refused("GET", f"/v1/subjects/{ODD}-nobody")
    told.refused("GET", f"/{ODD}", params={"who": WHO})
    told.refused("PATCH", f"/v1/features/{WHO}", params={"city": CITY})
    told.refused("POST", "/v1/predictions", json={"entity_id": WHO}, headers={"authorization": f"Bearer {ODD}"})
    told.refused("PUT", f"/v1/features/{WHO}", headers={"x-odd": ODD, "cookie": f"who={WHO}"})


def _odd_commands(told: Told) -> None:
    """Type what is refused; the state folder and the files it reads are full of canaries."""
    table = write_table(told.home.folder / "bad.csv", [{"id": WHO, "tenure": CITY, "plan": CITY}])
    assert told.run("load", str(table)) == 1
    (told.home.folder / "garbage.csv").write_text(f'{CITY}\0,{ODD}\n"{WHO}')
    assert told.run("load", "garbage.csv") == 1
    assert told.run("check") == 0
    assert told.run("status") == 0
    url = f"{told.home.state.issuer}/2015-03-31/functions/maintain/invocations"
    for event in ({"task": ODD}, {"task": [WHO]}, {"task": "check"}, {"task": "months"}, {ODD: CITY}):
        told.texts.append(httpx.post(url, json=event, timeout=60).text)


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def _write(told: Told) -> int:
    """Write, whatever becomes of it; return the status, 0 for none."""
    try:
        return told.http.put(f"/v1/features/{WHO}", json={"features": ROW}).status_code
    except httpx.HTTPError:
        return 0


def _all_of(process: ProcessId) -> list[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [process.pid, *map(int, listed)]


def _faults(told: Told) -> None:
    """Take the servers away while canaries are under way."""
    home = told.home
    for name in ("valkey", "postgres"):
        process = home.state.children[name]
        stopped = _all_of(process)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            _write(told)
            told.http.post("/v1/predictions", json={"entity_id": WHO})
            told.http.get(f"/v1/subjects/{WHO}")
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        _until(lambda: _write(told) == 200)
    for name in ("valkey", "postgres"):
        killed = home.state.children[name]
        assert killed.send(signal.SIGKILL)
        _write(told)
        told.http.post("/v1/predictions", json={"entity_id": WHO, "features": {"city": CITY}})
        _until(lambda name=name, killed=killed: home.state.children[name].pid != killed.pid)  # type: ignore[misc]
        _until(lambda: _write(told) == 200)
    connection = postgres(home)
    connection.query(
        "alter table features add constraint odd check (entity_id <> 'canary.lovelace@example.org') not valid"
    )
    assert _write(told) == 503
    connection.query("alter table features drop constraint odd")
    connection.close()
    _until(lambda: _write(told) == 200)


def _found(told: Told, canaries: tuple[str, ...], *, besides: tuple[str, ...] = ()) -> list[str]:
    """Return where canaries stand in the files of the state folder, Postgres's own data excepted."""
    state = told.home.state_home
    found = []
    for path in sorted(state.rglob("*")):
        inside = path.relative_to(state).parts
        if inside[:3] == ("postgres", "cluster", "data") or not path.is_file() or path.name.endswith(besides):
            continue
        content = path.read_bytes()
        found += [f"{canary} in {path}" for canary in canaries if canary.encode() in content or canary in str(path)]
    return found


def test_no_canary_leaves_the_tiers(told: Told) -> None:
    _accepted(told)
    _in_every_role(told)
    _odd_calls(told)
    _odd_commands(told)
    _faults(told)
    shown = told.http.get(f"/v1/subjects/{WHO}").text
    assert CITY in shown
    assert SPEND in shown
    logs = [path for path in told.home.state_home.rglob("*.log") if path.stat().st_size]
    assert {"postgres.log", "supervisor.log"} <= {path.name for path in logs}
    assert any(b"CloudWatchMetrics" in path.read_bytes() for path in logs)
    assert any(b'"service": "ebb"' in path.read_bytes() for path in logs), "no fault was logged"
    assert _found(told, ALL, besides=(".refused.csv",)) == []
    assert _found(told, (CITY, NUMBER, ODD)) == [], "a refused row is told without its values"
    connection = postgres(told.home)
    remembered = connection.query("select cast(t.* as text) from idempotency_keys t")
    connection.close()
    assert remembered, "a write that named a key is remembered"
    assert not [canary for canary in ALL if canary in str(remembered)], "an erasure finds nothing to do there"
    for text in told.texts:
        assert not [canary for canary in ANSWERED if canary in text], text
        assert "Traceback" not in text


def test_after_an_erasure_no_value_is_in_any_tier_and_no_name_in_any_file(told: Told) -> None:
    names = [WHO, *(f"{WHO}-{number}" for number in range(2, 30)), ODD]
    assert _found(told, (WHO,)), "the refused rows name whom they were about"
    for name in names:
        assert told.run("subject", "erase", name, "--yes") == 0 if name in names[:2] else _erased(told, name)
    assert told.run("check") == 0
    held = in_valkey(told.home.state.ports.valkey)
    connection = postgres(told.home)
    _until(lambda: "canary" not in str(connection.query("select entity_ids from repairs")))
    rows = in_postgres(connection)
    connection.close()
    for canary in (CITY, NUMBER):
        assert canary.encode() not in held
        assert canary not in rows
    _until(lambda: _found(told, ALL) == [])
    for text in told.texts:
        assert not [canary for canary in ANSWERED if canary in text], text


def _erased(told: Told, name: str) -> bool:
    return told.http.delete(f"/v1/subjects/{name}").status_code == 200
