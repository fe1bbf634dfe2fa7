"""The stand-in for AWS's native module pays: the same invocations, in turn, under one and under the other."""

import statistics
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from local.executor.executor import Executor
from local.executor.invocation import Kind

Run = Callable[[Coroutine[Any, Any, None]], None]
Up = Callable[..., AbstractAsyncContextManager[Executor]]
ROUNDS, INVOCATIONS = 7, 150
# Measured 0.22 to 0.25 on an idle machine (29 against 131 microseconds), and 0.51 with training beside it.
AT_MOST = 0.75


def nanoseconds(executor: Executor) -> int:
    """Return the CPU that the environment's process has taken so far."""
    pid = executor.status()["act"].environments[0].pid
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir())


async def cost(executor: Executor) -> int:
    """Return the CPU of some invocations, in nanoseconds."""
    before = nanoseconds(executor)
    for _ in range(INVOCATIONS):
        assert (await executor.ainvoke("act", b'{"do": "client"}')).kind is Kind.ANSWERED
    return nanoseconds(executor) - before


def test_an_environment_takes_less_with_the_stand_in(executor_run: Run, executor_up: Up) -> None:
    async def scenario() -> None:
        async with executor_up() as stand_in, executor_up(native_client=True) as native:
            await cost(stand_in)
            await cost(native)
            ratios = [await cost(stand_in) / await cost(native) for _ in range(ROUNDS)]
        assert statistics.median(ratios) < AT_MOST, ratios

    executor_run(scenario())
