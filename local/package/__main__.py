"""`python -m local.package`: the command `ebb package`, for `make`."""

import sys

from local.cli import run

if __name__ == "__main__":
    sys.exit(run(["package", *sys.argv[1:]]))
