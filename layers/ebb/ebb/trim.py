"""Memory that a release leaves behind goes back to the system."""

import ctypes
from collections.abc import Callable
from functools import cache


def trim_memory() -> None:
    """Give freed memory back, where the C library is glibc; elsewhere nothing happens.

    After a swap the old graph's memory lies free inside the C library, which by itself keeps it.
    """
    _trimmer()(0)


@cache
def _trimmer() -> Callable[[int], object]:
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return lambda _pad: None
    return trim
