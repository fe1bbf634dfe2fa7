"""The command's first lines: Ctrl-C is a sentence even while the rest is still being imported."""

import os
import signal
import sys
from types import FrameType

_INTERRUPTED = 130
_pressed: list[int] = []


def main() -> None:
    """Enter from the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _press)
    try:
        from local.cli import run  # noqa: PLC0415 - importing takes a moment in which Ctrl-C may come

        code = run()
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception:
        # Workers die of the same Ctrl-C, and their end may be what is heard first.
        if not _pressed:
            raise
        code = _interrupted()
    if code == _INTERRUPTED or (code and _pressed):
        # Everything of ours is undone by now. Native libraries that were stopped in the middle may crash when the
        # interpreter takes them down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)
    sys.exit(code)


def _press(number: int, _frame: FrameType | None) -> None:
    _pressed.append(number)
    raise KeyboardInterrupt


def _interrupted() -> int:
    sys.stderr.write("ebb: interrupted; nothing half-written was kept\n")
    return _INTERRUPTED


if __name__ == "__main__":
    main()
