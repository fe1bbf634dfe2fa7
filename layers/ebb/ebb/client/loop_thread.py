"""One thread with an event loop, for programs that have none."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from ebb.errors import Misuse

T = TypeVar("T")
_CLOSED = "this client is closed: make a new one, and close it after the last call"


class LoopThread:
    """Runs coroutines of any number of threads in one of its own, until it is closed."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._process = os.getpid()
        self._closing, self._closed = threading.Lock(), False
        self._running: set[asyncio.Task[Any]] = set()
        # A daemon: a program that forgets to close a client ends all the same.
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="ebb-client", daemon=True)
        self._thread.start()
        self._started.wait()

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the coroutine returns, or raise what it raises; an interrupt of the caller ends it.

        Raises:
            Misuse: the thread is closed, or belongs to the process before a fork.
        """
        if os.getpid() != self._process:
            raise Misuse("this client was made before a fork: make one in each process")
        with self._closing:
            if self._closed:
                raise Misuse(_CLOSED)
            future = asyncio.run_coroutine_threadsafe(self._noted(make), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise Misuse(_CLOSED) from None
        finally:
            future.cancel()

    async def _noted(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.ensure_future(make())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await task

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """End what is under way, carry out the last, and end the thread; a second time does nothing."""
        with self._closing:
            if self._closed or os.getpid() != self._process:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(last), self._loop).result()
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._started.set()
        await self._stop.wait()

    async def _end(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await last()
        self._stop.set()
