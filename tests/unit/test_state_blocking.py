"""Blocking work beside the loop: a cancelled start is undone, a long one does not hold the end up."""

import asyncio
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import pytest

from ebb.errors import Unavailable
from local.servers.process_id import ProcessId
from local.supervisor.blocking import call, ended, start_in_thread


@dataclass
class Door:
    """Something that opens slowly and notes that it was closed."""

    opening: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def open(self, abort: threading.Event) -> "Door":
        self.opening.set()
        abort.wait(10)
        return self

    def stop(self) -> None:
        self.closed = True


def test_a_cancelled_start_is_told_waited_for_and_undone() -> None:
    door, abort = Door(), threading.Event()

    async def run() -> None:
        task = asyncio.create_task(start_in_thread(lambda: door.open(abort), abort))
        await asyncio.to_thread(door.opening.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert abort.is_set()
    assert door.closed


def test_a_start_that_ends_well_is_left_alone() -> None:
    door, abort = Door(), threading.Event()
    abort.set()
    assert asyncio.run(start_in_thread(lambda: door.open(abort), abort)) is door
    assert not door.closed


def test_a_start_that_fails_raises_its_own_error() -> None:
    def fail() -> Door:
        raise Unavailable("no")

    with pytest.raises(Unavailable, match="no"):
        asyncio.run(start_in_thread(fail, threading.Event()))


def test_plain_and_coroutine_functions_are_called() -> None:
    called = []

    async def coroutine() -> None:
        called.append(threading.current_thread() is threading.main_thread())

    def plain() -> None:
        called.append(threading.current_thread() is threading.main_thread())

    asyncio.run(call(coroutine))
    asyncio.run(call(plain))
    assert called == [True, False]


def test_the_error_of_a_plain_function_arrives() -> None:
    def fail() -> None:
        raise Unavailable("no table")

    with pytest.raises(Unavailable, match="no table"):
        asyncio.run(call(fail))


def test_a_blocked_function_does_not_hold_the_end_up() -> None:
    release = threading.Event()

    def block() -> None:
        release.wait(30)

    async def run() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call(block), 0.1)

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 5
    release.set()


def test_the_end_of_a_process_is_noticed_at_once() -> None:
    async def run(process: ProcessId) -> float:
        await asyncio.wait_for(ended(process), 20)
        return time.monotonic()

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"]) as child:
        process = ProcessId.of(child.pid)
        assert process is not None
        noticed = asyncio.run(run(process))
    assert time.monotonic() - noticed < 5
    asyncio.run(ended(process))
