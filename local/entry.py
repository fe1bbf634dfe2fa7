"""The command's first lines: Ctrl-C is a sentence even while the rest is still being imported."""

import sys


def main() -> None:
    """Enter from the command line."""
    try:
        from local.cli import run  # noqa: PLC0415 - importing takes a moment in which Ctrl-C may come

        code = run()
    except KeyboardInterrupt:
        sys.stderr.write("ebb: interrupted; nothing half-written was kept\n")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
