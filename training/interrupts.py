"""Ctrl-C, remembered: a library that swallows the exception does not make it unheard.

Some catch everything while they are imported, and an exception in a finalizer or a callback is only printed.
"""

import sys
from types import FrameType

_presses: list[int] = []


def press(number: int, _frame: FrameType | None) -> None:
    """Handle SIGINT: remember it, and interrupt.

    Raises:
        KeyboardInterrupt: always.
    """
    _presses.append(number)
    raise KeyboardInterrupt


def pressed() -> bool:
    """Return whether Ctrl-C was pressed since this process began."""
    return bool(_presses)


def check() -> None:
    """Interrupt where Ctrl-C was pressed and something swallowed it.

    Raises:
        KeyboardInterrupt: it was pressed.
    """
    if _presses:
        raise KeyboardInterrupt


def ignored(unraisable: "sys.UnraisableHookArgs") -> None:
    """Print what nobody can catch, but for a Ctrl-C, which is remembered."""
    if not (_presses and issubclass(unraisable.exc_type, KeyboardInterrupt)):
        sys.__unraisablehook__(unraisable)
