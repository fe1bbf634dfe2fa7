"""Worker processes of the search: the same bits as one process, stopped in time, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.fakes.searched import searched
from tests.fakes.tables import make_table
from tests.integration.training_case import DEADLINE, eventually
from training.fit import TreeSize, code
from training.folds import Folds, fold_of
from training.search import SIZES, Budget
from training.search.runners import Inline, Processes
from training.search.task import Material, Task

SMALL = (TreeSize("four", 4, 0.3, 5), TreeSize("eight", 8, 0.3, 5))
ENDLESS = TreeSize("endless", 63, 0.1, 1_000_000)


def material_of(rows: int = 500) -> Material:
    inputs, labels = make_table(rows, 3, 2)
    return Material(code(inputs), labels, Folds(fold_of(labels, 0)), None, 0)


def workers() -> list[int]:
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # others of this process may end meanwhile
            found += [child.pid] if "training.search.worker" in child.cmdline() else []
    return found


def test_processes_give_the_bits_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, labels = make_table(600, 2, 1)
    alone = searched(inputs, labels, SMALL)
    monkeypatch.setattr("training.search.run.ROWS_WORTH_PROCESSES", 1)
    together = searched(inputs, labels, SMALL, budget=Budget(workers=2))
    assert np.array_equal(alone.best.raw, together.best.raw)
    assert alone.best.candidate == together.best.candidate
    assert alone.curve == together.curve
    assert workers() == []


def test_a_worker_answers_what_this_process_answers_groups_and_categories_included() -> None:
    inputs, labels = make_table(500, 2, 2)
    groups = np.arange(500) // 2
    folds = Folds(fold_of(labels, 0, groups))
    material = Material(code(inputs), labels, folds, groups, 0)
    task = Task(0, SMALL[0], 1, 1 / 3)
    runner = Processes(material, 1)
    try:
        runner.submit(task)
        assert runner.free == 0
        answers = runner.wait(DEADLINE)
        while not answers:
            answers = runner.wait(DEADLINE)
    finally:
        runner.close()
    here = Inline(material)
    here.submit(task)
    expected = here.wait(None)[0]
    assert answers[0].raw is not None
    assert expected.raw is not None
    assert np.array_equal(answers[0].raw, expected.raw)
    assert answers[0].rows == expected.rows


def test_a_killed_worker_fails_its_task_and_is_started_anew() -> None:
    runner = Processes(material_of(), 1)
    try:
        runner.submit(Task(0, ENDLESS, 0))
        eventually(lambda: len(workers()) == 1, "a worker")
        os.kill(workers()[0], signal.SIGKILL)
        done = runner.wait(DEADLINE)[0]
        assert done.raw is None
        assert done.why == "its process ended with SIGKILL"
        assert runner.free == 1
        runner.submit(Task(1, SMALL[0], 0))
        again = runner.wait(DEADLINE)[0]
        assert again.raw is not None
    finally:
        runner.close()
    assert workers() == []


def test_running_tasks_are_stopped_and_waiting_is_bounded() -> None:
    runner = Processes(material_of(), 2)
    try:
        runner.submit(Task(0, ENDLESS, 0))
        assert runner.wait(0.01) == []
        runner.drop()
        assert runner.free == 2
        runner.submit(Task(1, SMALL[0], 0))
        assert runner.wait(DEADLINE)[0].task.trial == 1
    finally:
        runner.close()


def test_the_budget_stops_trials_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second candidate would run for hours; it is stopped, and what was found until then stands."""
    monkeypatch.setattr("training.search.run.ROWS_WORTH_PROCESSES", 1)
    monkeypatch.setattr("training.search.next_up.NextUp._fits", lambda _self, _candidate: True)
    inputs, labels = make_table(600, 2, 1)
    began = time.monotonic()
    found = searched(inputs, labels, (SMALL[0], ENDLESS), budget=Budget(seconds=20.0, trials=2, workers=2))
    assert time.monotonic() - began < DEADLINE
    assert [(trial.candidate.name, trial.state) for trial in found.trials] == [
        ("four", "complete"),
        ("endless", "stopped"),
    ]
    assert workers() == []


def test_workers_die_with_a_killed_search(tmp_path: Path) -> None:
    program = (
        "from tests.integration.test_search_processes import *\n"
        "runner = Processes(material_of(), 2)\n"
        "runner.submit(Task(0, ENDLESS, 0)); runner.submit(Task(1, ENDLESS, 1))\n"
        "print(*workers(), flush=True); runner.wait(None)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as process:
        try:
            assert process.stdout is not None
            pids = [int(pid) for pid in process.stdout.readline().split()]
            assert len(pids) == 2
        finally:
            process.kill()
    eventually(lambda: not any(alive(pid) for pid in pids), "the workers' end")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("size", SIZES[:1])
def test_what_a_worker_prints_is_no_answer(size: TreeSize, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONVERBOSE", "1")  # imports are told on standard error, thousands of lines
    runner = Processes(material_of(), 1)
    try:
        runner.submit(Task(0, size, 0))
        assert runner.wait(DEADLINE)[0].raw is not None
    finally:
        runner.close()
