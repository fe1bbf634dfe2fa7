"""Environments that crash, hang, are killed or never start."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.errors import Unavailable
from local.executor.executor import Executor
from local.executor.invocation import Invocation, Kind
from local.executor.state import State

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
Alive = Callable[[int], bool]
BOTH_CLIENTS = True


async def call(executor: Executor, **event: Any) -> Invocation:
    return await executor.ainvoke("act", orjson.dumps(event))


def pid_of(executor: Executor) -> int:
    return executor.status()["act"].environments[0].pid or 0


def test_an_exception_is_a_function_error_and_the_environment_stays(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            pid = pid_of(executor)
            ended = await call(executor, do="raise")
            document = orjson.loads(ended.body)
            assert ended.kind is Kind.FUNCTION_ERROR
            assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no such luck")
            assert document["requestId"] == ended.request_id
            assert document["stackTrace"]
            assert orjson.loads((await call(executor)).body)["pid"] == pid

    executor_run(scenario())


def test_a_crash_touches_only_its_caller(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            crash = asyncio.ensure_future(call(executor, do="exit", code=3))
            others = [asyncio.ensure_future(call(executor)) for _ in range(5)]
            ended = await crash
            assert ended.kind is Kind.CRASHED
            assert ended.began
            assert orjson.loads(ended.body) == {
                "errorType": "Runtime.ExitError",
                "errorMessage": f"RequestId: {ended.request_id} Error: Runtime exited with error: exit status 3",
            }
            assert {each.kind for each in await asyncio.gather(*others)} == {Kind.ANSWERED}
            (environment,) = executor.status()["act"].environments
            assert environment.starts == 2
            assert environment.last_error == "Runtime exited with error: exit status 3 during an invocation"

    executor_run(scenario())


def test_killed_while_idle_it_is_respawned(executor_run: Run, executor_up: Up, executor_until: Until) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            old = pid_of(executor)
            os.kill(old, signal.SIGKILL)
            await executor_until(lambda: pid_of(executor) not in {0, old})
            answer = orjson.loads((await call(executor)).body)
            assert answer["pid"] == pid_of(executor) != old

    executor_run(scenario())


def test_killed_while_busy_the_caller_learns_the_signal(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            busy = asyncio.ensure_future(call(executor, do="sleep", seconds=600))
            await executor_until(lambda: executor.status()["act"].environments[0].state is State.BUSY)
            os.kill(pid_of(executor), signal.SIGKILL)
            ended = await busy
            assert ended.kind is Kind.CRASHED
            assert b"Runtime exited with error: signal: killed" in ended.body
            assert (await call(executor)).kind is Kind.ANSWERED

    executor_run(scenario())


def test_an_invocation_over_its_timeout_is_killed_with_what_it_started(
    executor_run: Run, executor_up: Up, executor_until: Until, executor_alive: Alive
) -> None:
    async def scenario() -> None:
        async with executor_up(timeout_seconds=1.0) as executor:
            old = pid_of(executor)
            child = orjson.loads((await call(executor, do="child")).body)
            ended = await call(executor, do="sleep", seconds=600)
            assert ended.kind is Kind.TIMED_OUT
            document = orjson.loads(ended.body)
            assert document["errorType"] == "Sandbox.Timedout"
            assert document["errorMessage"] == (
                f"RequestId: {ended.request_id} Error: Task timed out after 1.00 seconds"
            )
            await executor_until(lambda: not executor_alive(old) and not executor_alive(child))
            assert (await call(executor)).kind is Kind.ANSWERED
            assert pid_of(executor) != old

    executor_run(scenario())


def test_a_timer_of_one_invocation_never_ends_a_later_one(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(timeout_seconds=0.5) as executor:
            for _ in range(4):
                assert (await call(executor, do="sleep", seconds=0.3)).kind is Kind.ANSWERED
            assert executor.status()["act"].environments[0].starts == 1

    executor_run(scenario())


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        ("missing.handle", "Runtime.ImportModuleError: Unable to import module 'missing': No module named"),
        ("act.nothing", "Runtime.HandlerNotFound: Handler 'nothing' missing on module 'act'"),
        ("leaves.handle", "leaves.handle does not start: Runtime exited with error: exit status 7"),
        ("stuck.handle", "it did not ask for an invocation within 0.5 s and was killed"),
    ],
)
def test_a_function_that_cannot_start_says_why_and_fails_fast(
    executor_run: Run, executor_up: Up, handler: str, sentence: str
) -> None:
    init_seconds = 0.5 if handler.startswith("stuck") else 30.0

    async def scenario() -> None:
        async with executor_up(ready=False, handler=handler, init_seconds=init_seconds) as executor:
            early = asyncio.ensure_future(call(executor))
            with pytest.raises(Unavailable, match="function act: ") as raised:
                await executor.ready("act")
            assert sentence in str(raised.value)
            assert "act-0.log" in str(raised.value)
            assert sentence in str(executor.status()["act"].error)
            for ended in (await early, await call(executor)):
                assert ended.kind is Kind.CRASHED
                assert not ended.began
                assert orjson.loads(ended.body)["errorType"] == "Runtime.InitError"

    executor_run(scenario())


def test_a_function_that_can_start_again_serves_again(
    executor_run: Run, executor_up: Up, executor_folder: Path, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(ready=False, handler="later.handle") as executor:
            with pytest.raises(Unavailable, match="later"):
                await executor.ready("act")
            (executor_folder / "later.py").write_text("def handle(event, context):\n    return 1\n")
            await executor_until(lambda: executor.status()["act"].error is None)
            assert (await call(executor)).kind is Kind.ANSWERED

    executor_run(scenario())


def test_starts_that_fail_are_made_at_growing_distances(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(ready=False, handler="leaves.handle") as executor:
            lifecycle = executor.pools["act"].lifecycles[0]
            await executor_until(lambda: lifecycle.early_ends >= 3)
            assert lifecycle._pause() == pytest.approx(0.1 * 2 ** (lifecycle.early_ends - 1))

    executor_run(scenario())


SUPERVISOR = """
import asyncio, sys, time
from pathlib import Path
from local.executor.executor import Executor
from local.executor.function import Function

async def main():
    executor = Executor([Function("act", "act.handle", task_root=Path(sys.argv[1]))], log_dir=None)
    await executor.start()
    await executor.ready("act")
    print(*(environment.pid for environment in executor.status()["act"].environments), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_executor_takes_its_environments_with_it(
    executor_run: Run, executor_folder: Path, executor_until: Until, executor_alive: Alive
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(executor_folder)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        pids = [int(pid) for pid in supervisor.stdout.readline().split()]
        supervisor.kill()
    assert len(pids) == 2
    executor_run(executor_until(lambda: not any(executor_alive(pid) for pid in pids)))
