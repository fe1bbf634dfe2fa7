"""The command's first lines: Ctrl-C is a sentence even while the rest is still being imported."""

import os
import signal
import sys
from types import TracebackType

from training.interrupts import ignored, press, pressed

_INTERRUPTED = 130


def main() -> None:
    """Enter from the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        sys.unraisablehook, sys.excepthook = ignored, _uncaught
        signal.signal(signal.SIGINT, press)
    try:
        from local.cli import run  # noqa: PLC0415 - importing takes a moment in which Ctrl-C may come

        code = run()
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception:
        # Workers die of the same Ctrl-C, and their end may be what is heard first.
        if not pressed():
            raise
        code = _interrupted()
    if code == _INTERRUPTED or (code and pressed()):
        # Everything of ours is undone by now. Native libraries that were stopped in the middle may crash when the
        # interpreter takes them down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_INTERRUPTED)
    sys.exit(code)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End as interrupted where a second Ctrl-C came while the first was being answered."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os._exit(_interrupted())


def _interrupted() -> int:
    sys.stderr.write("ebb: interrupted; nothing half-written was kept\n")
    return _INTERRUPTED


if __name__ == "__main__":
    main()
