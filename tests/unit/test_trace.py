"""Traces: sampled invocations reach the daemon, others import nothing, and nothing of a person is in any."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from ebb.trace import DAEMON
from lambdas.predict.annotations import annotations
from local.executor.tracing import Sampler, Tracing
from tests.fakes.contracts import ROW
from tests.fakes.predicting import World

PROGRAM = """
import os, sys
from ebb.log import LOG
from ebb.trace import watched

def notes(answer):
    return {"variant": "champion", "odd name!": "x", "of_whom": None} if answer["statusCode"] == 200 else 1 / 0

@watched(notes)
def handle(event, context):
    if event is None:
        raise RuntimeError("Ada Lovelace")
    return {"statusCode": event}

sampled = sys.argv[1]
for number, event in enumerate((200, 503, 404, None)):
    os.environ["_X_AMZN_TRACE_ID"] = f"Root=1-6553f100-{number:024x};Parent={number:016x};Sampled={sampled}"
    assert LOG.cold == (number == 0)
    try:
        assert handle(event, None) == {"statusCode": event}
    except RuntimeError as error:
        assert event is None and str(error) == "Ada Lovelace"
assert ("aws_xray_sdk" in sys.modules) == (sampled == "1" and "AWS_XRAY_DAEMON_ADDRESS" in os.environ)
"""


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    """What stands for X-Ray's daemon: a listener on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(20)
        yield listener


def _address(daemon: socket.socket) -> str:
    return "{}:{}".format(*daemon.getsockname())


def _run(daemon: str, sampled: str) -> str:
    environment = {"AWS_LAMBDA_FUNCTION_NAME": "predict", "LAMBDA_TASK_ROOT": "/", "PYTHONPATH": ":".join(sys.path)}
    if daemon:
        environment[DAEMON] = daemon
    command = [sys.executable, "-c", PROGRAM, sampled]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _segments(daemon: socket.socket, count: int) -> list[dict[str, Any]]:
    texts = [daemon.recv(65_536).decode() for _ in range(count)]
    assert all(text.startswith('{"format":"json","version":1}\n') for text in texts)
    return [json.loads(text.split("\n", 1)[1]) for text in texts]


def test_sampled_invocations_reach_the_daemon(daemon: socket.socket) -> None:
    told = _run(_address(daemon), "1")
    segments = _segments(daemon, 4)
    assert [segment["name"] for segment in segments] == ["predict"] * 4
    assert [segment["trace_id"] for segment in segments] == [f"1-6553f100-{number:024x}" for number in range(4)]
    assert [segment["parent_id"] for segment in segments] == [f"{number:016x}" for number in range(4)]
    assert [segment["type"] for segment in segments] == ["subsegment"] * 4
    assert [segment.get("fault", False) for segment in segments] == [False, True, False, True]
    assert all(segment["end_time"] >= segment["start_time"] > 0 for segment in segments)
    first, *others = [segment["annotations"] for segment in segments]
    assert first == {"function": "predict", "cold_start": True, "status": 200, "variant": "champion"}
    assert [other.get("status") for other in others] == [503, 404, None]
    assert not any(other["cold_start"] for other in others)
    assert "Ada" not in told + json.dumps(segments)


def test_what_is_not_sampled_sends_nothing_and_imports_nothing(daemon: socket.socket) -> None:
    _run(_address(daemon), "0")
    daemon.setblocking(False)
    with pytest.raises(BlockingIOError):
        daemon.recv(65_536)


def test_without_a_daemon_nothing_is_imported() -> None:
    _run("", "1")


def test_a_daemon_that_is_away_fails_no_answer(daemon: socket.socket) -> None:
    at = _address(daemon)
    daemon.close()
    for address in (at, "nowhere", "127.0.0.1:x"):
        assert "Ada" not in _run(address, "1")


def test_annotations_of_every_kind_of_answer(world: World) -> None:
    world.hold()
    whole = world.call({"entity_id": "e-1"}).payload()
    release = f"tiny/{world.releases.champion('tiny')}"
    assert annotations(whole) == {"variant": "champion", "degraded": False, "tier": "durable", "release": release}
    incomplete = world.call({"entity_id": "e-2", "features": {"tenure": 1}}).payload()
    assert annotations(incomplete)["degraded"] is True
    assert "release" not in annotations(incomplete)
    asked = [{"entity_id": "e-1"}, {"entity_id": "nobody"}, {"entity_id": "e-3", "features": ROW}]
    batch = world.call({"entities": asked}, batch=True).payload()
    assert annotations(batch) == {"entities": 3, "failed": 1, "degraded": False}
    assert annotations(world.call({"entity_id": "nobody"}).payload()) == {}
    for answer in (whole, incomplete, batch):
        told = str(annotations(answer))
        assert not [value for value in ("e-1", "e-2", "Ghent", "basic") if value in told]


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(tmp_path)


def test_what_the_local_cloud_is_told() -> None:
    assert Tracing.from_environment({}) == Tracing(0.0, "")
    assert Tracing.from_environment({"EBB_TRACE_SHARE": ""}).variables == {}
    told = Tracing.from_environment({"EBB_TRACE_SHARE": "0.05", DAEMON: "127.0.0.1:2000"})
    assert told == Tracing(0.05, "127.0.0.1:2000")
    assert told.variables == {DAEMON: "127.0.0.1:2000"}
    for odd in ("much", "-0.1", "1.1", "nan", "inf"):
        with pytest.raises(Misuse, match="EBB_TRACE_SHARE must be a number from 0 to 1, such as"):
            Tracing.from_environment({"EBB_TRACE_SHARE": odd})


@given(st.floats(0, 1), st.integers(1, 2_000))
def test_a_share_is_sampled_evenly(share: float, invocations: int) -> None:
    sampler = Sampler(share)
    sampled = 0
    for number in range(1, invocations + 1):
        sampled += sampler.header(0, b"12345678-1234-4123-8123-123456789012").endswith(b"Sampled=1")
        assert abs(sampled - share * number) <= 1
    assert sampled >= (share > 0)


def test_the_header_is_the_published_one() -> None:
    header = Sampler(1.0).header(0x6553F100, b"01234567-89ab-4cde-8f01-234567890123")
    assert header == b"Root=1-6553f100-89ab4cde8f01234567890123;Parent=8f01234567890123;Sampled=1"
