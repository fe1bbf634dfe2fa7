"""One process that makes shards: reads their numbers, a line each, and answers in JSON lines.

It dies with the process that started it, and hears no Ctrl-C: that one ends it.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_KIB = 1024


def main(parent: int, out: Path, told: dict[str, Any]) -> int:
    """Make shards until there is no more number to read."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() != parent:
        return 1
    from training.synthesize.options import Drift, Options  # noqa: PLC0415 - bound to the parent before it takes time

    drift = told.pop("drift")
    options = Options(**told, drift=None if drift is None else Drift(**drift))
    for line in sys.stdin:
        try:
            _make(out, options, int(line))
        except OSError as error:
            _say(error=error.strerror or str(error).splitlines()[0])
            return 1
    return 0


def _make(out: Path, options: Any, shard: int) -> None:
    from training.synthesize.event_schema import TABLES  # noqa: PLC0415 - as above
    from training.synthesize.folder import PARTIAL, put_shard  # noqa: PLC0415 - as above
    from training.synthesize.shard import make_shard  # noqa: PLC0415 - as above

    folder = out / f"{PARTIAL}{shard:05d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = make_shard(options, shard, {name: folder / name for name in TABLES}, lambda: _say(months=1))
    note = put_shard(out, shard, folder, rows)
    folder.rmdir()
    _say(shard=shard, note=note, peak=_peak())


def _peak() -> int:
    """Return the most bytes that this process ever held.

    Linux counts in `getrusage` what its parent held when it was started, and keeps that across exec.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM:" in line) * _KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def _say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])))
