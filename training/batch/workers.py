"""Pieces scored one after the other here, or side by side in processes of their own."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing

from ebb.errors import Unavailable
from ebb.onnx import OnnxScorer
from ebb.ports import Scorer
from training.batch.scorer import BatchScorer, batch_scorer
from training.batch.task import Done, Setup, Task, Told, run
from training.uninterrupted import ctrl_c_held

_PR_SET_PDEATHSIG = 1
_Answers = Generator[tuple[Task, Done], None, None]


def results(
    tasks: Sequence[Task], setup: Setup, scorer: Scorer, *, rows: int, workers: int, told: Told
) -> Iterator[tuple[Task, Done]]:
    """Score pieces, and yield each as it is done.

    Args:
        tasks: the pieces.
        setup: what all share.
        scorer: the release's.
        rows: of all pieces.
        workers: processes; with 1, or a single piece, this one does the work.
        told: of rows that are done.

    Raises:
        DataError: see `training.batch.task.run`.
        Unavailable: a process was killed.
    """
    workers = min(workers, len(tasks))
    if workers > 1 and isinstance(scorer, OnnxScorer):
        with closing(_beside(tasks, setup, scorer.model, rows // workers, workers)) as answers:
            for task, done in answers:
                told(done.totals.rows + done.reasons.rows)
                yield task, done
    elif tasks:
        here = batch_scorer(scorer, rows)
        for task in tasks:
            yield task, run(task, setup, here, told)


def _beside(tasks: Sequence[Task], setup: Setup, model: bytes, rows: int, workers: int) -> _Answers:
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _prepare, (os.getpid(), setup, model, rows)
    )
    try:
        with ctrl_c_held():
            waiting = {executor.submit(_work, task): task for task in tasks}
        for future in as_completed(waiting):
            yield waiting[future], _done(future)
        executor.shutdown()
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        executor.shutdown(wait=True, cancel_futures=True)
        raise


def _done(future: "Future[Done]") -> Done:
    try:
        return future.result()
    except BrokenProcessPool:
        raise Unavailable(
            "a scoring process was killed (out of memory?): run it again with fewer --workers; whole shards stay"
        ) from None


_prepared: list[tuple[Setup, BatchScorer]] = []


def _prepare(parent: int, setup: Setup, model: bytes, rows: int) -> None:
    """Make this process leave Ctrl-C to its parent, die with it, and hold the graph."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    _prepared[:] = [(setup, batch_scorer(OnnxScorer(model), rows))]


def _work(task: Task) -> Done:
    setup, scorer = _prepared[0]
    return run(task, setup, scorer, lambda _rows: None)
