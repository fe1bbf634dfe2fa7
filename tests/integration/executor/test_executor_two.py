"""Several functions, and environments of one function that differ in luck."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson
import pytest

from ebb.errors import Unavailable
from local.executor.executor import Executor
from local.executor.function import Function
from local.executor.invocation import Kind
from local.executor.state import State

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
Until = Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]

ONCE = """
import os
try:
    os.close(os.open("only-one", os.O_CREAT | os.O_EXCL))
except FileExistsError:
    raise RuntimeError("only one of us starts")
def handle(event, context):
    return os.getpid()
"""


def test_functions_do_not_disturb_each_other(executor_run: Run, executor_folder: Path) -> None:
    async def scenario() -> None:
        executor = Executor(
            [
                Function("good", "act.handle", task_root=executor_folder, environments=1),
                Function("bad", "missing.handle", task_root=executor_folder, environments=1),
            ],
            log_dir=None,
        )
        try:
            await executor.start()
            with pytest.raises(Unavailable, match=r"function bad: missing\.handle does not start: [^;]*$"):
                await executor.ready("bad")
            await executor.ready("good")
            bad, good = await asyncio.gather(executor.ainvoke("bad", b"{}"), executor.ainvoke("good", b"{}"))
            assert (bad.kind, good.kind) == (Kind.CRASHED, Kind.ANSWERED)
            status = executor.status()
            assert status["good"].error is None
            assert status["good"].environments[0].state in {State.IDLE, State.BUSY}
            assert "there_is_no_such_module" in str(status["bad"].error)
        finally:
            await executor.stop()

    executor_run(scenario())


def test_one_environment_that_starts_is_enough(
    executor_run: Run, executor_up: Up, executor_folder: Path, executor_until: Until
) -> None:
    (executor_folder / "once.py").write_text(ONCE)

    async def scenario() -> None:
        async with executor_up(handler="once.handle", environments=2) as executor:
            environments = executor.pools["act"].environments
            await executor_until(lambda: max(environment.failed_starts for environment in environments) >= 2)
            ended = await asyncio.gather(*(executor.ainvoke("act", b"{}") for _ in range(10)))
            assert {each.kind for each in ended} == {Kind.ANSWERED}
            assert len({each.body for each in ended}) == 1
            assert executor.status()["act"].error is None
            errors = [each.last_error for each in executor.status()["act"].environments]
            assert sorted(error is None for error in errors) == [False, True]

    executor_run(scenario())


def test_an_environment_that_dies_before_any_work_is_started_less_and_less_often(
    executor_run: Run, executor_up: Up, executor_until: Until
) -> None:
    async def scenario() -> None:
        async with executor_up() as executor:
            lifecycle = executor.pools["act"].lifecycles[0]
            for deaths in (1, 2):
                await executor.ready("act")
                os.kill(executor.status()["act"].environments[0].pid or 0, signal.SIGKILL)
                await executor_until(lambda deaths=deaths: lifecycle.early_ends == deaths)  # type: ignore[misc]
            assert lifecycle._pause() == pytest.approx(0.2)
            answer = orjson.loads((await executor.ainvoke("act", b"{}")).body)
            assert answer["pid"] == executor.status()["act"].environments[0].pid
            os.kill(answer["pid"], signal.SIGKILL)
            await executor_until(lambda: executor.status()["act"].environments[0].starts == 4)
            assert lifecycle._pause() == 0.0

    executor_run(scenario())


def test_what_cannot_be_spawned_is_a_sentence(executor_run: Run, executor_up: Up, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with executor_up(ready=False, task_root=tmp_path / "nowhere") as executor:
            with pytest.raises(Unavailable, match=r"act\.handle does not start: .*No such file or directory"):
                await executor.ready("act")
            assert executor.status()["act"].environments[0].pid is None
            assert (await executor.ainvoke("act", b"{}")).kind is Kind.CRASHED

    executor_run(scenario())
