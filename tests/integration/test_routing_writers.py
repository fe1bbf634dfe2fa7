"""Routing tables as several processes write them at once, and one that dies before it has told anybody."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.routing.change import promoted
from ebb.valkey.features import ValkeyFeatures
from lambdas.maintain.announcement import Announcement
from local.servers.valkey import Valkey
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import SET, first_table, version

WRITERS, WANTED = 4, 25
TIMEOUT = 2.0

_WRITER = """
import sys
from pathlib import Path

from ebb.errors import Conflict
from ebb.folder_routing import FolderRouting
from ebb.routing.change import promoted
from ebb.routing.table import Change

store, name, wanted, won = FolderRouting(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), []
sys.stdin.readline()
while len(won) < wanted:
    old = store.latest("tiny")
    release = f"{name * 1000 + old.version:012x}"
    try:
        store.append("tiny", promoted(old, release, Change(float(old.version), str(name), "promote")))
    except Conflict:
        continue
    won.append(old.version + 1)
print(*won)
"""

_DIES = """
import os, signal, sys
from pathlib import Path

from ebb.folder_routing import FolderRouting
from ebb.http.calls import Call
from ebb.release.load import load_release
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from lambdas.records.routing import RoutingService

releases = FolderReleases(Path(sys.argv[2]))


class Dies:
    def announce_routing(self, version):
        os.kill(os.getpid(), signal.SIGKILL)


service = RoutingService(
    lambda: "tiny", FolderRouting(Path(sys.argv[1])), releases, Dies(),
    lambda contract, version: load_release(releases, contract, version, OnnxScorer),
    lambda: 5.0, print,
)
body = b'{"release": "%s"}' % sys.argv[3].encode()
call = Call("ops", frozenset({"admin"}), body, {}, {}, "id", {"content-type": "application/json"}, "")
service.promote(call)
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderRouting:
    store = FolderRouting(tmp_path / "routing")
    store.append("tiny", first_table())
    return store


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[ValkeyFeatures]:
    """An empty Valkey of this test's own: versions are only ever raised."""
    server = Valkey.start(tmp_path / "valkey")
    try:
        yield ValkeyFeatures("127.0.0.1", server.port, timeout=TIMEOUT)
    finally:
        server.stop()


def test_of_several_writers_exactly_one_wins_each_version(tmp_path: Path, store: FolderRouting) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "routing")]
    processes = [
        subprocess.Popen([*command, str(name), str(WANTED)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in range(1, WRITERS + 1)
    ]
    try:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        won = [[int(each) for each in process.communicate(timeout=100)[0].split()] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert sorted(each for some in won for each in some) == list(range(2, WRITERS * WANTED + 2))
    history = store.history("tiny", 1_000)[::-1]
    assert [table.version for table in history] == list(range(1, WRITERS * WANTED + 2))
    for before, after in pairwise(history):
        assert after.previous == before.champion, "nobody's change was written over"
        assert after.version in won[int(after.change.client) - 1]
    assert not list((tmp_path / "routing" / "tiny").glob(".partial*"))


def test_what_a_killed_writer_did_not_tell_the_maintenance_tells(
    tmp_path: Path, store: FolderRouting, fast: ValkeyFeatures
) -> None:
    files = tiny_release()
    FolderReleases(tmp_path / "releases").write("tiny", version_in(files), files)
    command = [sys.executable, "-c", _DIES, str(tmp_path / "routing"), str(tmp_path / "releases"), version_in(files)]
    died = subprocess.run(command, check=False, timeout=60, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    latest = store.latest("tiny")
    assert latest is not None
    assert (latest.version, latest.champion) == (2, version_in(files)), "what was kept stands"
    assert fast.ask("e-1", "acme").routing == 0, "nobody was told"
    assert Announcement(lambda: "tiny", store, fast).make() == 2
    assert fast.ask("e-1", "acme").routing == 2


def test_a_version_that_is_told_late_takes_nothing_back(store: FolderRouting, fast: ValkeyFeatures) -> None:
    announcement = Announcement(lambda: "tiny", store, fast)
    assert announcement.make() == 1
    fast.announce_routing(9)
    assert announcement.make() == 1
    assert fast.ask("e-1", "acme").routing == 9
    store.append("tiny", promoted(first_table(), version(1), SET))
    assert announcement.make() == 2
    assert fast.ask("e-1", "acme").routing == 9


def test_without_a_contract_or_a_table_there_is_nothing_to_tell(tmp_path: Path, fast: ValkeyFeatures) -> None:
    store = FolderRouting(tmp_path / "nowhere")
    assert Announcement(lambda: "", store, fast).make() == 0
    assert Announcement(lambda: "tiny", store, fast).make() == 0
    assert fast.ask("e-1", "acme").routing == 0
