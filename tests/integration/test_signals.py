"""Signals of a real local cloud: hundreds of requests of every kind, and the function's log file read back."""

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from ebb.event_log.reading import RecordedEvent, RecordedLine, read_lines
from ebb.folder import FolderReleases
from ebb.metric_units import unit_of
from tests.emf import lines_in, problems_of, units_in, values_of
from tests.fakes.contracts import ROW, TEXT
from tests.fakes.releases import tiny_release, version_in
from tests.home import Home

STALE = TEXT.replace('kind = "number"\n', 'kind = "number"\nmax_age = "1h"\nwhen_stale = "serve"\n')
RELEASES = [tiny_release(bias, STALE) for bias in (0.0, 1.0, -1.0, 0.5, 0.25)]
CHAMPION, CHALLENGER, CHEAP, SHADOW, LATER = map(version_in, RELEASES)
PLANS = '[plans.slow]\nrate = 0.001\nburst = 1\n[clients]\nslow = "slow"\n'
SCOPES = ("predict", "explain", "features:write")
TRACED = 0.05
DOLLARS_A_MILLISECOND = 0.0000133334 / 1000
"""Of the one gigabyte that functions have by default."""


def _token(home: Home, client: str) -> dict[str, str]:
    scopes = [argument for scope in SCOPES for argument in ("--scope", scope)]
    return {"authorization": f"Bearer {home.ok('token', '--client', client, *scopes).strip()}"}


@dataclass
class Asking:
    """Asks a local cloud, and keeps count."""

    home: Home
    http: httpx.Client
    slow: dict[str, str]
    daemon: socket.socket
    answers: list[dict[str, Any]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    read = calls = 0

    @property
    def log(self) -> Path:
        return self.home.state_home / "functions" / "predict-0.log"

    def one(self, body: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
        """Ask for one entity."""
        response = self.http.post("/v1/predictions", json=body, headers=headers)
        self.statuses[response.status_code] += 1
        if response.status_code in {200, 404}:
            self.read += 1
        if response.is_success:
            self.calls += 1
            self.answers.append(response.json())
        return response

    def many(self, entities: list[dict[str, Any]]) -> None:
        """Ask for a batch."""
        response = self.http.post("/v1/predictions/batch", json={"entities": entities})
        assert response.status_code == 200, response.text
        self.read += len(entities)
        self.calls += 1
        self.answers += [one for one in response.json()["predictions"] if "error" not in one]

    def lines(self) -> list[dict[str, Any]]:
        """Return the metric lines, once all that was asked so far stands in them."""
        before = len(lines_in(self.log))
        for _ in range(200):
            assert self.http.get("/v1/health").is_success
            found = lines_in(self.log)
            if len(found) > before:
                return found
        raise AssertionError("no line came after 200 requests")

    def events(self) -> list[RecordedEvent]:
        """Return the recorded events."""
        lines = [line for line in read_lines(self.log.read_bytes()) if isinstance(line, RecordedLine)]
        return [event for line in lines for event in line.events]


def _sum(lines: list[dict[str, Any]], name: str) -> float:
    return sum(value if not isinstance(value, list) else sum(value) for value in _all(lines, name))


def _all(lines: list[dict[str, Any]], name: str) -> list[Any]:
    return [values_of(line)[name] for line in lines if name in values_of(line)]


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A local cloud with five releases, a replica and one environment, a share of whose invocations is traced."""
    home = Home(tmp_path_factory.mktemp("signals"))
    store = FolderReleases(home.folder / "releases")
    for files in RELEASES:
        store.write("tiny", version_in(files), files)
    store.set_champion("tiny", CHAMPION)
    (home.folder / "plans.toml").write_text(PLANS)
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        patch.setenv("EBB_TRACE_SHARE", str(TRACED))
        patch.setenv("AWS_XRAY_DAEMON_ADDRESS", "{}:{}".format(*daemon.getsockname()))
        home.ok("up", "--port", "0", "--environments", "1", "--replica", "--plans", "plans.toml", "--detach")
        try:
            with httpx.Client(base_url=home.state.url, headers=_token(home, "me"), timeout=30) as http:
                yield Asking(home, http, _token(home, "slow"), daemon)
        finally:
            assert home.ebb("down").returncode == 0


def _ask_everything(asking: Asking) -> None:
    """Ask hundreds of times: whole, stored, incomplete, stale, unknown and too often, one by one and in batches."""
    beside = ("--challenger", f"{CHALLENGER}=0.2", "--cheap", f"{CHEAP}=0.4", "--margin", "0.2", "--shadow", SHADOW)
    asking.home.ok("route", "set", *beside)
    for number in range(20):
        written = {"features": ROW, "event_time": time.time() - (7_200 if number < 5 else 60)}
        assert asking.http.put(f"/v1/features/stored-{number}", json=written).is_success
    with redis.Redis(port=asking.home.state.ports.valkey) as valkey:
        assert valkey.delete(*valkey.scan_iter("*stored-19*", count=1_000))
    _until(lambda: asking.one({"entity_id": "warm", "features": ROW}).is_success and _roles(asking) > 1)
    for number in range(150):
        row = {**ROW, "tenure": number % 120, "spend": number * 1.5}
        assert asking.one({"entity_id": f"e-{number}", "features": row, "explain": number % 10 == 0}).is_success
    for number in range(20):
        assert asking.one({"entity_id": f"stored-{number}"}).is_success
        assert asking.one({"entity_id": f"incomplete-{number}", "features": {"tenure": number}}).json()["degraded"]
        asking.one({"entity_id": f"unknown-{number}"})
    for _ in range(12):
        asking.one({"entity_id": "e-1", "features": ROW}, asking.slow)
    for start in range(0, 200, 50):
        whole = [{"entity_id": f"e-{number}", "features": ROW} for number in range(start, start + 50)]
        asking.many([*whole, {"entity_id": "stored-1"}, {"entity_id": "unknown-1"}])


def _roles(asking: Asking) -> int:
    """Return how many roles answer twenty entities; more than one once the new table is in force."""
    found = [asking.one({"entity_id": f"role-{number}", "features": ROW}).json()["variant"] for number in range(20)]
    return len(set(found))


def test_the_lines_add_up_to_what_was_asked(asking: Asking) -> None:
    _ask_everything(asking)
    lines = asking.lines()
    answers, events = asking.answers, asking.events()
    assert asking.statuses[404] > 0
    assert asking.statuses[429] > 0
    assert set(asking.statuses) == {200, 404, 429}
    assert len(answers) == len(events) > 400
    assert _sum(lines, "predictions") == len(answers)
    for name, told in (("degraded", "degraded"), ("stale", "features")):
        expected = sum(bool(one[told] if told == name else one[told][name]) for one in answers)
        assert _sum(lines, name) == expected > 0
    roles = Counter(one["variant"] for one in answers)
    assert set(roles) == {"champion", "challenger", "cheap", "rules"}
    for role, count in roles.items():
        assert _sum(lines, f"variant_{role}") == count
        cost = sum(event.open["cost"] for event in events if event.open["variant"] == role)
        assert _sum(lines, f"cost_usd_{role}") == pytest.approx(cost)
    assert _sum(lines, "score_sum") == pytest.approx(sum(one["probability"] for one in answers))
    assert _sum(lines, "escalated") == sum(event.open["escalated"] for event in events) > 0
    assert _sum(lines, "rate_limited") == asking.statuses[429]
    assert _sum(lines, "cold_start") == 1
    tiers = {name for line in lines for name in values_of(line) if name.startswith("read_")}
    assert {"read_fast", "read_durable"} <= tiers
    assert sum(_sum(lines, tier) for tier in tiers) == asking.read
    newest = max(event.open["routing"] for event in events)
    shadowed = sum(_sum(lines, f"shadow_{how}") for how in ("scored", "skipped", "failed"))
    assert shadowed == sum(event.open["routing"] == newest for event in events) > 0


def test_latency_is_a_distribution_and_costs_are_its_price(asking: Asking) -> None:
    lines = asking.lines()
    taken = [value for values in _all(lines, "latency_ms") for value in values]
    assert len(taken) == asking.calls
    assert min(taken) > 0
    costs = {name for line in lines for name in values_of(line) if name.startswith("cost_usd_")}
    assert sum(_sum(lines, name) for name in costs) == pytest.approx(sum(taken) * DOLLARS_A_MILLISECOND)


def test_states_are_right_when_the_line_is_written(asking: Asking) -> None:
    lines = asking.lines()
    created = 1_767_225_600  # the tiny release's: 2026-01-01
    for line in lines:
        written = line["_aws"]["Timestamp"] / 1000
        assert values_of(line)["model_age_seconds"] == pytest.approx(written - created, abs=1)
    versions = _all(lines, "routing_version")
    told = sorted({event.open["routing"] for event in asking.events()})
    assert versions == sorted(versions)
    assert versions[-1] == told[-1]
    assert _sum(lines, "routing_taken") == len(told)


def test_no_more_than_one_line_a_hundred_requests(asking: Asking) -> None:
    lines = asking.lines()
    assert max(_all(lines, "requests")) == 100
    told = sum(_all(lines, "requests"))
    first, last = (lines[at]["_aws"]["Timestamp"] / 1000 for at in (0, -1))
    assert len(lines) <= told / 100 + (last - first) / 10 + 2


def test_servers_that_stand_still_are_hedged_and_left_alone(asking: Asking) -> None:
    body = {"entity_id": "stored-9"}
    before = len(asking.lines())
    primary = asking.home.state.children["valkey"].pid
    replica = asking.home.state.children["replica"].pid
    os.kill(primary, signal.SIGSTOP)
    try:
        for _ in range(30):
            asking.one(body)
        os.kill(replica, signal.SIGSTOP)
        for _ in range(30):
            asking.one(body)
        meanwhile = asking.lines()[before:]
    finally:
        for pid in (primary, replica):
            os.kill(pid, signal.SIGCONT)
    assert _sum(meanwhile, "hedge_sent") > 0
    assert _sum(meanwhile, "hedge_won") > 0
    assert _sum(meanwhile, "breaker_valkey_open") >= 1
    assert _all(meanwhile, "breaker_valkey")[-1] > 0
    _until(lambda: asking.one(body).json()["features"]["tier"] == "fast")
    after = asking.lines()
    assert _all(after, "breaker_valkey")[-1] == 0
    assert _sum(after, "breaker_valkey_closed") >= 1


def test_a_release_that_is_refused_is_counted_and_logged(asking: Asking) -> None:
    asking.home.ok("route", "set", "--challenger", f"{LATER}=0.5")
    model = asking.home.folder / "releases" / "tiny" / LATER / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        _until(lambda: asking.one({"entity_id": "e-1", "features": ROW}).is_success and bool(_refusals(asking)))
        assert _sum(asking.lines(), "release_refused") >= 1
    finally:
        model.write_bytes(whole)
    line = _refusals(asking)[0]
    assert (line["level"], line["service"], line["function_name"]) == ("ERROR", "ebb", "predict")
    assert line["cold_start"] is False
    assert line["xray_trace_id"].startswith("1-")
    assert "sha256" in line["message"]


def _refusals(asking: Asking) -> list[dict[str, Any]]:
    texts = asking.log.read_text().splitlines()
    lines = [json.loads(text) for text in texts if text.startswith('{"level":')]
    return [line for line in lines if line["message"].startswith(f"release {LATER} refused")]


def test_every_line_is_in_the_published_format_and_names_nobody(asking: Asking) -> None:
    lines = asking.lines()
    for line in lines:
        assert problems_of(line) == []
        assert (line["function"], line["contract"]) == ("predict", "tiny")
        assert all(unit == unit_of(name) for name, unit in units_in(line).items())
    texts = [text for text in asking.log.read_text().splitlines() if not text.startswith('{"ebb":')]
    assert len(texts) >= len(lines)
    for value in ("Ghent", "basic", "stored-", "e-1", "unknown-"):
        assert not [text for text in texts if value in text]


def test_a_share_of_the_answers_is_traced(asking: Asking) -> None:
    asking.daemon.setblocking(False)
    found: list[dict[str, Any]] = []
    with suppress(BlockingIOError):
        while True:
            found.append(json.loads(asking.daemon.recv(65_536).decode().split("\n", 1)[1]))
    predicted = [one for one in found if one["name"] == "predict"]
    requests = sum(_all(asking.lines(), "requests"))
    assert 0.5 * TRACED * requests <= len(predicted) <= 1.5 * TRACED * requests + 1
    assert len({one["trace_id"] for one in found}) == len(found)
    notes = [one["annotations"] for one in predicted]
    assert {"function", "cold_start", "status", "variant", "degraded", "tier", "release"} <= set().union(*notes)
    assert {one["release"] for one in notes if "release" in one} <= {f"tiny/{version_in(f)}" for f in RELEASES}
    assert sum(one["cold_start"] for one in notes) == 1
    for value in ("Ghent", "basic", "stored-", "e-1", "unknown-"):
        assert value not in json.dumps(found)
