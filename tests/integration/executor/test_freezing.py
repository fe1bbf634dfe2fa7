"""Environments that stand still between invocations, as on AWS, and what must work on them all the same."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.executor.executor import Executor
from local.executor.invocation import Invocation, Kind
from local.executor.state import EnvironmentStatus

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]
Alive = Callable[[int], bool]

BOTH_CLIENTS = True
BEATS = '''
"""A thread beats beside the handler."""
import threading
import time

BEATS = 0


def beat():
    global BEATS
    while True:
        BEATS += 1
        time.sleep(0.001)


threading.Thread(target=beat, daemon=True).start()


def handle(event, context):
    before = BEATS
    time.sleep(event.get("seconds", 0.0))
    return {"before": before, "after": BEATS}
'''
SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from local.executor.executor import Executor
from local.executor.function import Function

async def main(folder):
    executor = Executor([Function("act", "act.handle", task_root=folder, environments=1, freeze=True)], log_dir=None)
    await executor.start()
    await executor.ready("act")
    while not executor.status()["act"].environments[0].frozen:
        await asyncio.sleep(0.01)
    print(executor.status()["act"].environments[0].pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1])))
"""


async def call(executor: Executor, **event: Any) -> Invocation:
    return await executor.ainvoke("act", orjson.dumps(event))


async def answer(executor: Executor, **event: Any) -> Any:
    ended = await call(executor, **event)
    assert ended.kind is Kind.ANSWERED, ended.body
    return orjson.loads(ended.body)


def environment(executor: Executor) -> EnvironmentStatus:
    return executor.status()["act"].environments[0]


def stopped(pid: int | None) -> bool:
    """Return whether every thread of a process stands still."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    return bool(tasks) and all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


def test_it_stands_still_from_its_start_on_and_after_each_answer(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True) as executor:
            pid = environment(executor).pid
            for answered in range(4):
                await executor_until(lambda: stopped(pid))
                assert environment(executor).frozen
                assert environment(executor).pauses == answered + 1
                assert (await answer(executor, turn=answered))["event"] == {"turn": answered}
            assert environment(executor).starts == 1
            await executor_until(lambda: stopped(pid))

    executor_run(scenario())


def test_by_default_nothing_is_frozen(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            await answer(executor)
            await answer(executor)
            assert (environment(executor).pauses, environment(executor).frozen) == (0, False)

    executor_run(scenario())


def test_its_threads_run_during_invocations_only(
    executor_run: Run, executor_up: Up, executor_folder: Path, executor_until: Until
) -> None:
    (executor_folder / "beats.py").write_text(BEATS)

    async def scenario() -> None:
        async with executor_up(handler="beats.handle", freeze=True) as executor:
            pid = environment(executor).pid
            first = await answer(executor, seconds=0.1)
            assert first["after"] - first["before"] > 10
            await executor_until(lambda: stopped(pid))
            frozen_at = time.monotonic()
            await executor_until(lambda: time.monotonic() > frozen_at + 0.5)
            second = await answer(executor, seconds=0.1)
            # It had half a second to beat, and beat only while its answer was fetched.
            assert second["before"] - first["after"] < 100
            assert second["after"] - second["before"] > 10

    executor_run(scenario())


def test_what_it_started_stands_still_with_it_and_ends_with_it(
    executor_run: Run, executor_up: Up, executor_until: Until, executor_alive: Alive
) -> None:
    children: list[int] = []

    async def scenario() -> None:
        async with executor_up(freeze=True) as executor:
            children.append(await answer(executor, do="child"))
            await executor_until(lambda: stopped(children[0]))
            assert await answer(executor)
        await executor_until(lambda: not executor_alive(children[0]))

    executor_run(scenario())


def test_whoever_waits_is_served_without_a_pause(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True) as executor:
            await asyncio.gather(*(answer(executor, turn=turn) for turn in range(200)))
            assert environment(executor).invocations == 200
            assert environment(executor).pauses < 20

    executor_run(scenario())


def test_a_failure_is_frozen_as_an_answer_is(executor_run: Run, executor_up: Up, executor_until: Until) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True) as executor:
            pid = environment(executor).pid
            assert (await call(executor, do="raise")).kind is Kind.FUNCTION_ERROR
            await executor_until(lambda: stopped(pid))
            assert await answer(executor)

    executor_run(scenario())


def test_an_invocation_that_hangs_is_killed_and_the_next_process_freezes_too(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True, timeout_seconds=1.5) as executor:
            await answer(executor)
            old = environment(executor).pid
            assert (await call(executor, do="sleep", seconds=60)).kind is Kind.TIMED_OUT
            await executor_until(lambda: environment(executor).pid not in {None, old} and environment(executor).frozen)
            assert await answer(executor)

    executor_run(scenario())


def test_one_that_stands_still_longer_than_any_timeout_is_left_alone(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True, timeout_seconds=0.5) as executor:
            await answer(executor)
            end = time.monotonic() + 1.2
            await executor_until(lambda: time.monotonic() > end)
            assert await answer(executor)
            assert environment(executor).starts == 1

    executor_run(scenario())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_while_frozen_it_is_respawned(
    executor_run: Run, executor_up: Up, executor_until: Until, number: signal.Signals
) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True) as executor:
            old = environment(executor).pid
            await executor_until(lambda: stopped(old))
            os.kill(old or 0, number)
            if number is signal.SIGTERM:
                # It hears of it with its next invocation, which it may still take or take with it.
                await call(executor)
            await executor_until(lambda: environment(executor).pid not in {None, old})
            assert await answer(executor)

    executor_run(scenario())


def test_a_stop_is_heard_by_a_frozen_function_and_takes_no_longer(
    executor_run: Run, executor_up: Up, executor_until: Until, executor_alive: Alive
) -> None:
    async def scenario() -> None:
        async with executor_up(freeze=True) as executor:
            await answer(executor)
            pid = environment(executor).pid or 0
            await executor_until(lambda: stopped(pid))
            began = time.monotonic()
            await executor.stop()
            assert time.monotonic() - began < 1.0  # of two seconds until it would have been killed
            assert not executor_alive(pid)

    executor_run(scenario())


def test_a_killed_executor_takes_frozen_environments_with_it(
    executor_run: Run, executor_folder: Path, executor_until: Until, executor_alive: Alive
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(executor_folder)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        supervisor.kill()
    executor_run(executor_until(lambda: not executor_alive(pid)))
