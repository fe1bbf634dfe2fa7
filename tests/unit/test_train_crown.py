"""The lock, the shielded moment and the provenance of a release."""

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from ebb.errors import ReleaseError
from training import provenance
from training.crown import one_at_a_time
from training.progress import Silent
from training.provenance import git_commit, library_versions
from training.steps import Steps
from training.uninterrupted import uninterrupted


def test_ctrl_c_waits_until_the_block_is_done() -> None:
    done = []

    def move_both() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("both moved")

    with pytest.raises(KeyboardInterrupt):
        move_both()
    assert done == ["both moved"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_ctrl_c_nothing_is_raised() -> None:
    with uninterrupted():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_the_block_comes_through() -> None:
    with pytest.raises(ValueError, match="boom"), uninterrupted():
        raise ValueError("boom")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_has_no_ctrl_c_to_wait() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert done == [1]


def test_one_after_the_other(tmp_path: Path) -> None:
    order, entered = [], threading.Event()

    def second() -> None:
        entered.set()
        with one_at_a_time(tmp_path):
            order.append("second")

    thread = threading.Thread(target=second)
    with one_at_a_time(tmp_path):
        thread.start()
        assert entered.wait(10)
        thread.join(0.2)  # it cannot end: this block holds the lock
        assert thread.is_alive()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="boom"), one_at_a_time(tmp_path / "new"):
        raise ValueError("boom")
    with one_at_a_time(tmp_path / "new"):
        pass


def test_no_folder_to_lock(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseError, match="releases cannot be written to"), one_at_a_time(tmp_path / "file"):
        pass


def test_commit_is_forty_digits_or_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}|", git_commit())
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    assert git_commit() == ""


def test_no_git_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_commit() == ""


def test_libraries_are_named_with_versions() -> None:
    found = library_versions()
    assert {"python", "ebb", "numpy", "scikit-learn", "onnx", "onnxruntime"} <= set(found)
    assert all(found.values())


def test_steps_are_timed() -> None:
    steps = Steps(Silent())
    with steps.step("one", "One"), steps.timed("two"):
        pass
    assert set(steps.timings) == {"one", "two"}
    assert all(seconds >= 0 for seconds in steps.timings.values())
