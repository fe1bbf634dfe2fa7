"""Processes that make the shards of a world, each handed the next one as soon as it is done with its last."""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from ebb.errors import DataError
from training.synthesize.folder import Note
from training.synthesize.options import Options

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass
class Made:
    """What a crew made.

    Attributes:
        notes: of each shard.
        peak: most memory that a worker held, in bytes.
    """

    notes: dict[int, Note] = field(default_factory=dict)
    peak: int = 0


@dataclass
class _Worker:
    """One process.

    Attributes:
        process: itself.
        asked: its standard input.
        answers: its standard output.
        shard: what it is at.
        rest: what it has said of an unfinished line.
    """

    process: subprocess.Popen[bytes]
    asked: IO[bytes]
    answers: IO[bytes]
    shard: int | None = None
    rest: bytes = b""


def make_shards(
    options: Options, shards: Sequence[int], out: Path, workers: int, months: Callable[[int], None]
) -> Made:
    """Make shards in several processes; none of them is left when this returns or raises.

    Args:
        options: of the world.
        shards: their numbers.
        out: the folder, claimed.
        workers: how many processes at most.
        months: told of the months of shards as they are done.

    Raises:
        DataError: a worker could not write, or was ended; the shards that are whole stay.
    """
    crew: list[_Worker] = []
    try:
        for _ in range(min(workers, len(shards))):
            crew.append(_start(options, out))  # noqa: PERF401 - what is started is ended, even if the next is not
        return _Work(crew, list(shards), out, months).run()
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            worker.process.wait()
            for pipe in (worker.asked, worker.answers):
                with suppress(OSError):  # what a dead worker was still to be told
                    pipe.close()


class _Work:
    """Hands out shards and hears what becomes of them."""

    def __init__(self, crew: list[_Worker], shards: list[int], out: Path, months: Callable[[int], None]) -> None:
        self._crew, self._left, self._out, self._months = crew, shards[::-1], out, months
        self._made = Made()

    def run(self) -> Made:
        """Go on until every shard is made."""
        with selectors.DefaultSelector() as selector:
            for worker in self._crew:
                selector.register(worker.answers, selectors.EVENT_READ, worker)
                self._hand(worker)
            while any(worker.shard is not None for worker in self._crew):
                for key, _ in selector.select():
                    if not self._hear(key.data):
                        selector.unregister(key.fileobj)
        return self._made

    def _hand(self, worker: _Worker) -> None:
        worker.shard = self._left.pop() if self._left else None
        with suppress(BrokenPipeError):  # its end is heard next
            if worker.shard is None:
                worker.asked.close()
            else:
                worker.asked.write(b"%d\n" % worker.shard)
                worker.asked.flush()

    def _hear(self, worker: _Worker) -> bool:
        """Take in what a worker says; False once it will say no more."""
        heard = os.read(worker.answers.fileno(), 65_536)
        if not heard:
            if worker.shard is not None:
                raise DataError(f"{self._how(worker)}; {_AGAIN}")
            return False
        *lines, worker.rest = (worker.rest + heard).split(b"\n")
        for line in lines:
            self._take(worker, json.loads(line))
        return True

    def _take(self, worker: _Worker, said: dict[str, Any]) -> None:
        if "error" in said:
            raise DataError(f"{self._out} cannot be written: {said['error']}; make room there; {_AGAIN}")
        if "months" in said:
            self._months(said["months"])
            return
        self._made.notes[said["shard"]] = said["note"]
        self._made.peak = max(self._made.peak, said["peak"])
        self._hand(worker)

    def _how(self, worker: _Worker) -> str:
        code = worker.process.wait()
        end = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"failed with exit code {code}"
        return f"the worker at shard {worker.shard} of {self._out} {end}"


_AGAIN = "the shards that are whole were kept, and the same command goes on from there"


def _start(options: Options, out: Path) -> _Worker:
    told = json.dumps(asdict(options))
    process = subprocess.Popen(
        [sys.executable, "-m", "training.synthesize.worker", str(os.getpid()), str(out), told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **dict.fromkeys(_THREADS, "1")},
        start_new_session=True,
    )
    return _Worker(process, cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout))
