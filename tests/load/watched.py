"""A command of `ebb` as a process, with its seconds and the most memory that it and its workers held together."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.home import ROOT

_LOOK_SECONDS = 0.25


@dataclass
class Watched:
    """One run.

    Attributes:
        told: what the command printed with `--json`.
        seconds: from the start of the process to its end.
        peak: bytes of the process and its children, pages they share counted once.
    """

    told: dict[str, Any]
    seconds: float
    peak: float


@dataclass
class _Watch:
    """Looks at a process and its children again and again."""

    pid: int
    peak: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ended.wait(_LOOK_SECONDS):
            self.peak = max(self.peak, _held(self.pid))


def watch(words: Sequence[object]) -> Watched:
    """Run `ebb WORDS --json`.

    Raises:
        RuntimeError: it fails; with the sentence that it printed.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "local.entry", *map(str, words), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        looking = _Watch(process.pid)
        thread = threading.Thread(target=looking.run, daemon=True)
        thread.start()
        try:
            out, errors = process.communicate()
        finally:
            looking.ended.set()
            thread.join()
            process.kill()
    if process.returncode:
        raise RuntimeError(f"`ebb {' '.join(map(str, words))}` failed: {errors.strip()[-500:]}")
    return Watched(json.loads(out), time.perf_counter() - started, looking.peak)


def _held(pid: int) -> float:
    try:
        parent = psutil.Process(pid)
        return float(sum(_proportional(process) for process in (parent, *parent.children(recursive=True))))
    except psutil.Error:
        return 0.0


def _proportional(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0
