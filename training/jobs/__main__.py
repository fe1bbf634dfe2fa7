"""The entry of the job image: one job, its result or one sentence on why there is none.

Exit codes: 0 done, 1 failed, 143 ended by SIGTERM (a stop or a spot interruption).
"""

import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

from ebb.errors import EbbError, Misuse
from training.interrupts import ignored, press, pressed
from training.jobs.container import container_root, read_container
from training.jobs.lines import Lines, say
from training.jobs.results import RESULT, write_json
from training.jobs.table import JOBS, job_named

FAILED, TERMINATED = 1, 143
_LONGEST_REASON = 1024


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one job by the container's contract and return the exit code."""
    try:
        _run(arguments, environment)
    except KeyboardInterrupt:
        say("ended by a signal; what the checkpoints hold is kept")
        return TERMINATED
    except Exception as error:  # noqa: BLE001 - whatever it is, its sentence belongs into the failure file
        if pressed():  # what was cut in the middle may fail in its own way
            say("ended by a signal; what the checkpoints hold is kept")
            return TERMINATED
        _fail(container_root(environment), reason_of(error))
        return FAILED
    return 0


def reason_of(error: Exception) -> str:
    """Return one sentence; of an error that is not ours only the kind and the place, since its text may be personal."""
    if isinstance(error, EbbError):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: {error.filename or 'the system'}"
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {Path(frame.filename).name}, line {frame.lineno}" for frame in place)
    return f"the job failed unexpectedly ({type(error).__name__}{where}): please report this"


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    if not arguments:
        raise Misuse(f"say which job to run: {', '.join(JOBS)}")
    job = job_named(arguments[0])
    container = read_container(job, arguments[1:], environment)
    for folder in (container.results, container.model):
        folder.mkdir(parents=True, exist_ok=True)
    say(f"job {job.name} {container.name}: {', '.join(sorted(container.channels))}")
    result = import_module(f"training.jobs.{job.name}").run(container, Lines())
    write_json(container.results / RESULT, {"job": job.name, "name": container.name, **result})
    say(f"job {job.name}: done")


def _fail(root: Path, reason: str) -> None:
    """Leave the reason where SageMaker looks for it: a training's in `failure`, a processing's in `message`."""
    say(f"failed: {reason}")
    try:
        (root / "output").mkdir(parents=True, exist_ok=True)
        for file in ("failure", "message"):
            (root / "output" / file).write_text(reason[:_LONGEST_REASON])
    except OSError as error:
        say(f"the reason could not be written to {root / 'output'}: {error.strerror}")


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM as Ctrl-C, which the steps that must not be cut know how to hold back."""
    signal.raise_signal(signal.SIGINT)


def enter() -> None:
    """Enter from the command line; leave without a teardown where native code may have been cut in the middle."""
    sys.unraisablehook = ignored
    signal.signal(signal.SIGINT, press)
    signal.signal(signal.SIGTERM, _terminate)
    code = main(sys.argv[1:], os.environ)
    if code == TERMINATED:
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    enter()
