"""Work beside requests that disturbs them little: what loads a release while an older one answers.

A thread that computes is often put off the processor while it holds Python's lock, and then requests wait for both.
One that pauses now and then is seldom put off; and what needs no lock may run at a low priority. Whatever is called
in the main thread, where no request can be waiting, is done at once.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_PAUSE_SECONDS = 0.001
_NICE = 10


def breathe() -> None:
    """Leave the processor to others for a moment."""
    if threading.current_thread() is not threading.main_thread():
        time.sleep(_PAUSE_SECONDS)


def aside(make: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Return the same as `make`, in a thread of low priority; for work that does not hold Python's lock."""

    def made(content: bytes) -> T:
        if threading.current_thread() is threading.main_thread():
            return make(content)
        return politely(lambda: make(content))

    return made


def politely(work: Callable[[], T]) -> T:
    """Do some work in a thread of low priority, and wait for it: others on the same processors go first."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - a cold start needs none of it

    with ThreadPoolExecutor(1, initializer=_step_back) as thread:
        return thread.submit(work).result()


def _step_back() -> None:
    # Linux has priorities by thread; where there are none, the work is done as any other.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
