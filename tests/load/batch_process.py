"""A process that scores one table and prints what that took: seconds of CPU and of the clock, and its peak memory."""

import json
import pickle
import resource
import sys
import time
from pathlib import Path

from training.batch import score_prefix, scorer
from training.progress import Silent


def main() -> int:
    """Score as the arguments say: a pickled release, source, target, workers, and from how many rows to compile."""
    release, source, out, workers, compile_from = sys.argv[1:]
    scorer.WORTH_COMPILING = int(compile_from)
    loaded = pickle.loads(Path(release).read_bytes())  # noqa: S301 - written by the figures themselves
    start, before = time.perf_counter(), time.process_time()
    told = score_prefix(loaded(), Path(source), Path(out), workers=int(workers), progress=Silent())
    spent = resource.getrusage(resource.RUSAGE_SELF)
    result = {
        "rows": told["rows"],
        "cpu": time.process_time() - before,
        "seconds": time.perf_counter() - start,
        "peak_mb": spent.ru_maxrss / 1e3,
    }
    sys.stdout.write(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
