"""A worker process of the search: reads a task a line, writes an answer a line, and dies with its parent.

The parent starts it with Ctrl-C blocked, and ends it; nothing that it or a library prints reaches the terminal.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from training.fit import Candidate, Linear, TreeSize
from training.fit.logistic import LOGISTIC
from training.search.material_files import read_material
from training.search.task import Task, perform

_PR_SET_PDEATHSIG = 1


def serve(folder: Path, tasks: IO[str], answers: IO[str]) -> None:
    """Perform tasks until there are no more.

    Args:
        folder: of the material; log-odds are written there, one file a task.
        tasks: JSON lines.
        answers: JSON lines, in the order of the tasks.
    """
    material = read_material(folder)
    for line in tasks:
        told = json.loads(line)
        task = Task(told["trial"], candidate_from(told["candidate"]), told["fold"], told["share"])
        done = perform(material, task)
        why = done.why if done.raw is None else _kept(folder / told["answer"], done.raw)
        answers.write(json.dumps({"rows": done.rows, "seconds": done.seconds, "why": why}) + "\n")
        answers.flush()


def _kept(path: Path, raw: NDArray[np.float64]) -> str:
    """Write log-odds, and return why that failed; empty where it did not."""
    try:
        np.save(path, raw)
    except OSError as error:
        path.unlink(missing_ok=True)
        reason = error.strerror or "there is no room for it"  # numpy counts bytes instead
        return f"its answer cannot be kept in {path.parent.parent}: {reason}"
    return ""


def candidate_from(told: dict[str, object]) -> Candidate:
    """Return the candidate of which `dataclasses.asdict` told."""
    made = Linear if told["family"] == LOGISTIC else TreeSize
    return made(**told)  # type: ignore[arg-type]


def follow(parent: int) -> None:
    """Leave Ctrl-C to the parent, and die with it, also when it is dead already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Serve the parent that started this process."""
    follow(int(sys.argv[2]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library that prints must not speak between the answers
    serve(Path(sys.argv[1]), sys.stdin, answers)


if __name__ == "__main__":
    main()
