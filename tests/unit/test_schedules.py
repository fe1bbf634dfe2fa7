"""Schedules invoke what nobody calls: one at a time, at once when a server is back, and quietly while they fail."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import orjson
import pytest

from ebb.errors import Misuse
from local.executor.invocation import Invocation, Kind
from local.supervisor.schedules import Schedule, Schedules

EVERY = Schedule("maintain", {"task": "all"}, 0.01)


class Lambda:
    """Keeps what was invoked; answers with each kind in turn, then with the last one."""

    def __init__(self, kinds: Sequence[Kind] = (Kind.ANSWERED,)) -> None:
        self.kinds, self.events = list(kinds), list[tuple[str, str]]()
        self.busy, self.most = 0, 0

    async def invoke(self, name: str, payload: bytes) -> Invocation:
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1
        self.events.append((name, orjson.loads(payload)["task"]))
        kind = self.kinds.pop(0) if len(self.kinds) > 1 else self.kinds[0]
        return Invocation(kind, b'{"errorMessage":"Ada Lovelace"}', "1")


async def _until(schedules: Schedules, holds: Callable[[], bool]) -> None:
    task = asyncio.create_task(schedules.run())
    try:
        async with asyncio.timeout(10):
            while not holds():
                assert not task.done(), "a schedule never ends by itself"
                await asyncio.sleep(0)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_it_is_invoked_again_and_again_one_at_a_time() -> None:
    there = Lambda()
    asyncio.run(_until(Schedules([EVERY], there.invoke), lambda: len(there.events) > 3))
    assert set(there.events) == {("maintain", "all")}
    assert there.most == 1


def test_a_server_that_came_back_does_not_wait_for_the_next_time() -> None:
    there = Lambda()
    slow = Schedule("maintain", {"task": "all"}, 3600.0, {"valkey": {"task": "refill"}})

    async def returns() -> None:
        schedules = Schedules([slow], there.invoke)
        await _until(schedules, lambda: len(there.events) == 1)
        schedules.came_back("postgres")
        schedules.came_back("valkey")
        await _until(schedules, lambda: len(there.events) == 3)

    asyncio.run(returns())
    assert [task for _, task in there.events] == ["all", "all", "refill"]


def test_a_failure_is_logged_once_until_it_works_again(caplog: pytest.LogCaptureFixture) -> None:
    failed = [Kind.FUNCTION_ERROR, Kind.FUNCTION_ERROR, Kind.TIMED_OUT]
    there = Lambda([*failed, Kind.ANSWERED, Kind.CRASHED, Kind.ANSWERED])
    with caplog.at_level(logging.WARNING):
        asyncio.run(_until(Schedules([EVERY], there.invoke), lambda: len(there.events) > 6))
    assert [record.getMessage() for record in caplog.records] == [
        "the scheduled function maintain: function error; it is invoked again as planned",
        "the scheduled function maintain: crashed; it is invoked again as planned",
    ]


def test_a_function_that_nobody_runs_takes_nothing_down(caplog: pytest.LogCaptureFixture) -> None:
    asked = []

    async def unknown(name: str, _payload: bytes) -> Invocation:
        asked.append(name)
        raise Misuse(f"no function named {name} runs here")

    asyncio.run(_until(Schedules([EVERY], unknown), lambda: len(asked) > 2))
    assert len(caplog.records) == 1


def test_no_schedule_is_fine() -> None:
    asyncio.run(Schedules([], Lambda().invoke).run())
