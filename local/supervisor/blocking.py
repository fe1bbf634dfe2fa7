"""Blocking work beside an event loop, so that a stop neither waits for it nor loses what it started."""

import asyncio
import inspect
import os
import threading
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Protocol, TypeVar

from local.servers.process_id import ProcessId


class Stoppable(Protocol):
    """Something that was started and can be stopped."""

    def stop(self) -> None:
        """End it."""


Started = TypeVar("Started", bound=Stoppable)


async def start_in_thread(start: Callable[[], Started], abort: Event) -> Started:
    """Call a blocking start; when cancelled, tell it by `abort`, wait for its end and stop what it had started.

    Raises:
        Exception: whatever `start` raises.
    """
    task = asyncio.ensure_future(asyncio.to_thread(start))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        abort.set()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        if not isinstance(ended, BaseException):
            await asyncio.to_thread(ended.stop)
        raise


async def call(function: Callable[[], Awaitable[None] | None]) -> None:
    """Call a plain or coroutine function; a plain one runs in a daemon thread, which the end of Ebb does not wait for.

    Raises:
        Exception: whatever `function` raises.
    """
    if inspect.iscoroutinefunction(function):
        result = function()
        if result is not None:
            await result
        return
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

    def work() -> None:
        error: Exception | None = None
        try:
            function()
        except Exception as raised:  # noqa: BLE001 (handed over to the awaiting side)
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=work, name="prepare", daemon=True).start()
    await done


async def ended(process: ProcessId) -> None:
    """Wait until a process has ended."""
    handle = process.open()
    if handle is None:
        return
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
