"""Functions that misbehave: their caller learns it, the next caller does not, and nothing of theirs survives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvloop

from ebb.errors import Unavailable
from local.executor.executor import Executor
from local.executor.function import Function
from local.executor.invocation import Invocation, Kind
from local.servers.process_id import ProcessId
from tests.security.conftest import until

ACT = """
import http.client, json, os, socket, subprocess, sys, time


def handle(event, context):
    what = event.get("do")
    if what == "print":
        sys.stdout.write(("x" * 1023 + "\\n") * 4096)
        sys.stderr.write("y" * 1_000_000)
    if what == "surrogate":
        return "\\ud800"
    if what == "nan":
        return float("nan")
    if what == "unserialisable":
        return object()
    if what == "deep":
        nested = []
        for _ in range(100_000):
            nested = [nested]
        return nested
    if what == "fork":
        return [subprocess.Popen(["sleep", "600"]).pid for _ in range(5)]
    if what == "fork and die":
        child = subprocess.Popen(["sleep", "600"]).pid
        open(event["file"], "w").write(str(child))
        os._exit(1)
    if what == "close":
        os.closerange(3, 256)
    if what in {"twice", "another"}:
        wire = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        request_id = context.aws_request_id if what == "twice" else "00000000-0000-0000-0000-000000000000"
        wire.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", b'"forged"')
        status = wire.getresponse().status
        return status
    if what == "noise":
        host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].partition(":")
        for noise in (b"\\x00" * 1000, b"GET / HTTP/1.1\\r\\n\\r\\n", b"PUT /2018-06-01/runtime/x HTTP/9\\r\\n"):
            with socket.create_connection((host, int(port))) as wire:
                wire.sendall(noise)
    return {"pid": os.getpid(), "pwd": os.environ.get("PWD"), "home": os.environ.get("HOME")}
"""
SECONDS = 30.0
Scenario = Callable[[Executor], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scenario], None]:
    """Play a scenario against one environment; the next caller must be served after it."""
    (tmp_path / "act.py").write_text(ACT)

    @asynccontextmanager
    async def up() -> AsyncIterator[Executor]:
        function = Function("act", "act.handle", task_root=tmp_path, environments=1, timeout_seconds=1.0)
        executor = Executor([function], log_dir=tmp_path / "logs")
        await executor.start()
        try:
            await executor.ready("act")
            yield executor
        finally:
            await executor.stop()

    async def whole(scenario: Scenario) -> None:
        async with up() as executor:
            await scenario(executor)
            ended = await call(executor)
            if ended.kind is Kind.THROTTLED:  # one that never asks again is found out when its time is over
                ended = await call(executor)
            assert ended.kind is Kind.ANSWERED
            assert orjson.loads(ended.body)["pid"]

    def run(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asyncio.wait_for(whole(scenario), SECONDS))

    return run


async def call(executor: Executor, **event: Any) -> Invocation:
    return await executor.ainvoke("act", orjson.dumps(event))


@pytest.mark.parametrize("what", ["unserialisable", "deep"])
def test_an_answer_that_cannot_be_sent_is_the_functions_error(play: Callable[[Scenario], None], what: str) -> None:
    async def scenario(executor: Executor) -> None:
        ended = await call(executor, do=what)
        assert ended.kind in {Kind.FUNCTION_ERROR, Kind.CRASHED}

    play(scenario)


@pytest.mark.parametrize("what", ["print", "surrogate", "nan", "noise", "close"])
def test_whatever_it_does_its_caller_hears_and_the_next_is_served(play: Callable[[Scenario], None], what: str) -> None:
    async def scenario(executor: Executor) -> None:
        ended = await call(executor, do=what)
        assert ended.kind in {Kind.ANSWERED, Kind.FUNCTION_ERROR, Kind.CRASHED}

    play(scenario)


def test_an_invocation_is_answered_once(play: Callable[[Scenario], None]) -> None:
    async def scenario(executor: Executor) -> None:
        assert (await call(executor, do="twice")).body == b'"forged"'

    play(scenario)


def test_no_environment_answers_for_another_invocation(play: Callable[[Scenario], None]) -> None:
    async def scenario(executor: Executor) -> None:
        assert (await call(executor, do="another")).body == b"400"

    play(scenario)


def test_children_of_an_environment_end_with_it(play: Callable[[Scenario], None]) -> None:
    children: list[int] = []

    async def scenario(executor: Executor) -> None:
        children.extend(orjson.loads((await call(executor, do="fork")).body))
        assert all(ProcessId.of(pid) for pid in children)

    play(scenario)
    until(lambda: not any(ProcessId.of(pid) for pid in children))


def test_children_of_a_crashed_environment_end_too(play: Callable[[Scenario], None], tmp_path: Path) -> None:
    async def scenario(executor: Executor) -> None:
        ended = await call(executor, do="fork and die", file=str(tmp_path / "child"))
        assert ended.kind is Kind.CRASHED

    play(scenario)
    until(lambda: ProcessId.of(int((tmp_path / "child").read_text())) is None)


def test_an_environment_inherits_nothing(play: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/secret")

    async def scenario(executor: Executor) -> None:
        seen = orjson.loads((await call(executor)).body)
        assert (seen["home"], seen["pwd"]) == (None, None)

    play(scenario)


def test_a_function_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    async def scenario() -> None:
        executor = Executor([Function("act", "act.nothing", task_root=tmp_path, environments=1)], log_dir=None)
        await executor.start()
        try:
            with pytest.raises(Unavailable):
                await executor.ready("act")
        finally:
            await executor.stop()

    asyncio.run(asyncio.wait_for(scenario(), SECONDS))
