"""The command's first lines: Ctrl-C is a sentence even while the rest is still being imported."""

import os
import sys

_INTERRUPTED = 130


def main() -> None:
    """Enter from the command line."""
    try:
        from local.cli import run  # noqa: PLC0415 - importing takes a moment in which Ctrl-C may come

        code = run()
    except KeyboardInterrupt:
        sys.stderr.write("ebb: interrupted; nothing half-written was kept\n")
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        # Everything of ours is undone by now. Native libraries that were stopped in the middle may crash when the
        # interpreter takes them down.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
