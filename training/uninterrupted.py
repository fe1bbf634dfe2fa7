"""Work that Ctrl-C waits for: a few milliseconds that must not be left half-done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done; in another thread than the main one there is none to wait."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def remember(_signal: int, _frame: FrameType | None) -> None:
        nonlocal waiting
        waiting = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        signal.raise_signal(signal.SIGINT)


@contextmanager
def ctrl_c_held() -> Iterator[None]:
    """Block Ctrl-C for processes started meanwhile: they inherit that from their first line on, and keep it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
