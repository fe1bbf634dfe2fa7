"""Invocations that go well, and what their functions see."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.errors import Misuse
from local.executor.executor import Executor
from local.executor.invocation import Invocation, Kind
from local.executor.process import STAND_IN

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Alive = Callable[[int], bool]
BOTH_CLIENTS = True
SIX_MB = 6 * 1024 * 1024


async def call(executor: Executor, **event: Any) -> Invocation:
    return await executor.ainvoke("act", orjson.dumps(event))


def test_a_function_answers_under_the_real_runtime_client(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            ended = await call(executor, hello="world")
            answer = orjson.loads(ended.body)
            assert ended.kind is Kind.ANSWERED
            assert ended.began
            assert answer["event"] == {"hello": "world"}
            assert answer["request_id"] == ended.request_id
            assert answer["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:act"
            assert answer["name"] == "act"
            assert 5_000 < answer["remaining"] <= 10_000
            assert answer["pid"] == executor.status()["act"].environments[0].pid

    executor_run(scenario())


def test_a_function_sees_lambdas_variables_and_its_own_and_no_others(
    executor_run: Run,
    executor_up: Up,
    executor_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    native_client: bool,
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_PARENT", "1")

    async def scenario() -> None:
        async with executor_up(environment={"EBB_STAGE": "dev"}, memory_mb=512) as executor:
            seen = orjson.loads((await call(executor, do="environment")).body)
        assert seen.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
        assert seen.pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
        assert seen.pop("AWS_LAMBDA_LOG_STREAM_NAME").startswith("[$LATEST]")
        seen.pop("LC_CTYPE", None)
        assert seen == {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_NAME": "act",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/act",
            "AWS_REGION": "us-east-1",
            "EBB_STAGE": "dev",
            "LAMBDA_TASK_ROOT": str(executor_folder),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(executor_folder) if native_client else f"{STAND_IN}:{executor_folder}",
            "PYTHONUNBUFFERED": "1",
            "TZ": ":UTC",
            "_HANDLER": "act.handle",
        }

    executor_run(scenario())


def test_the_runtime_client_is_the_one_asked_for(executor_run: Run, executor_up: Up, *, native_client: bool) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            used = Path(orjson.loads((await call(executor, do="client")).body))
        assert used.suffix == ".so" if native_client else used == STAND_IN / "runtime_client.py"

    executor_run(scenario())


def test_output_goes_to_a_private_file_of_the_environment(executor_run: Run, executor_up: Up, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            await call(executor)

    executor_run(scenario())
    log = tmp_path / "logs" / "act-0.log"
    assert log.read_text() == "seen\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_environment_serves_one_invocation_at_a_time(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(environments=2) as executor:
            ended = await asyncio.gather(*(call(executor, do="sleep", seconds=0.05) for _ in range(8)))
        answers = [orjson.loads(each.body) for each in ended]
        assert len({answer["pid"] for answer in answers}) == 2
        for pid in {answer["pid"] for answer in answers}:
            times = sorted((answer["start"], answer["end"]) for answer in answers if answer["pid"] == pid)
            assert all(end <= start for (_, end), (start, _) in pairwise(times))

    executor_run(scenario())


def test_the_queue_is_bounded_and_what_is_over_it_is_throttled_at_once(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(queue_limit=2) as executor:
            ended = await asyncio.gather(*(call(executor, do="sleep", seconds=0.2) for _ in range(5)))
            assert [each.kind for each in ended] == [Kind.ANSWERED] * 3 + [Kind.THROTTLED] * 2
            assert orjson.loads(ended[4].body)["Type"] == "User"
            assert not ended[4].began
            assert executor.status()["act"].throttled == 2

    executor_run(scenario())


def test_what_waits_longer_than_it_may_run_is_throttled(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(timeout_seconds=0.5) as executor:
            waits = [asyncio.ensure_future(call(executor, do="sleep", seconds=0.4)) for _ in range(3)]
            assert [each.kind for each in await asyncio.gather(*waits)] == [Kind.ANSWERED] * 2 + [Kind.THROTTLED]
            assert executor.status()["act"].queued == 0

    executor_run(scenario())


def test_payloads_and_answers_of_six_megabytes_pass_and_more_is_an_error(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            sent = await call(executor, padding="y" * (SIX_MB - 1_000))
            assert len(orjson.loads(sent.body)["event"]["padding"]) == SIX_MB - 1_000
            fits = await call(executor, do="size", size=SIX_MB)
            assert (fits.kind, len(fits.body)) == (Kind.ANSWERED, SIX_MB + 2)
            over = await call(executor, do="size", size=SIX_MB + 200)
            assert over.kind is Kind.FUNCTION_ERROR
            assert orjson.loads(over.body)["errorType"] == "Function.ResponseSizeTooLarge"
            assert (await call(executor)).kind is Kind.ANSWERED

    executor_run(scenario())


def test_stop_leaves_no_process_no_port_and_tells_those_who_wait(
    executor_run: Run, executor_up: Up, executor_alive: Alive
) -> None:
    async def scenario() -> None:
        async with executor_up(environments=2) as executor:
            pool = executor.pools["act"]
            pids = [environment.pid for environment in executor.status()["act"].environments]
            ports = [int(lifecycle.runtime_api.rpartition(":")[2]) for lifecycle in pool.lifecycles]
            waits = [asyncio.ensure_future(call(executor, do="sleep", seconds=600)) for _ in range(3)]
            await asyncio.sleep(0)
        assert [each.kind for each in await asyncio.gather(*waits)] == [Kind.CRASHED] * 3
        assert not any(executor_alive(pid or os.getpid()) for pid in pids)
        for port in ports:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
        assert (await call(executor)).kind is Kind.CRASHED

    executor_run(scenario())


def test_an_unknown_function_and_two_of_one_name_are_refused(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(ready=False) as executor:
            with pytest.raises(Misuse, match="no function named other runs here; known are: act"):
                await executor.ainvoke("other", b"{}")
            function = executor.functions["act"]
            with pytest.raises(Misuse, match="two functions are named act"):
                Executor([function, function], log_dir=None)

    executor_run(scenario())
