"""Work beside requests: at once in the main thread, else with pauses and at a low priority."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from ebb.aside import aside, breathe
from ebb.errors import ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from lambdas.predict.variant import VariantLoader
from tests.fakes.releases import tiny_release, version_in

T = TypeVar("T")


def elsewhere(work: Callable[[], T]) -> T:
    """Do something in a thread that is not the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def _who(content: bytes) -> tuple[bytes, int, int]:
    own = threading.get_native_id()
    return content, own, os.getpriority(os.PRIO_PROCESS, own)


def test_in_the_main_thread_it_is_done_there() -> None:
    usual = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert aside(_who)(b"graph") == (b"graph", threading.get_native_id(), usual)


def test_in_another_thread_it_is_done_by_a_third_of_low_priority() -> None:
    usual = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def work() -> tuple[tuple[bytes, int, int], int, int]:
        own = threading.get_native_id()
        return aside(_who)(b"graph"), own, os.getpriority(os.PRIO_PROCESS, own)

    (content, worker, priority), asking, asking_priority = elsewhere(work)
    assert content == b"graph"
    assert worker not in {asking, threading.get_native_id()}
    assert priority > usual == asking_priority


def test_an_error_comes_back_as_it_was_raised() -> None:
    def refuse(_content: bytes) -> None:
        raise ReleaseError("ONNX Runtime cannot load the graph")

    with pytest.raises(ReleaseError, match="cannot load the graph"):
        elsewhere(lambda: aside(refuse)(b""))


def test_where_priorities_cannot_be_had_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_given: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refused)
    assert elsewhere(lambda: aside(_who)(b"graph"))[0] == b"graph"


def test_only_work_beside_requests_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr(time, "sleep", paused.append)
    breathe()
    assert not paused
    elsewhere(breathe)
    assert len(paused) == 1
    assert 0 < paused[0] < 0.01


def test_a_release_loads_in_steps_with_pauses_between(tmp_path: Path) -> None:
    files = tiny_release()
    store = FolderReleases(tmp_path)
    store.write("tiny", version_in(files), files)
    pauses: list[int] = []
    loader = VariantLoader(store, aside(OnnxScorer), lambda: pauses.append(threading.get_native_id()))
    variant = elsewhere(lambda: loader.load("tiny", version_in(files)))
    assert variant.release is not None
    assert len(pauses) >= 3
    assert len(set(pauses)) == 1
