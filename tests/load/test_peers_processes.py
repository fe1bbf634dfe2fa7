"""The parts of the comparison that deal with processes: counting their CPU, ending them, networks of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebb.errors import Unavailable
from local.servers.child import Child, start_child
from local.servers.ports import free_port
from local.servers.process_id import ProcessId
from tests.load.peers import installed
from tests.load.peers.asking import answers
from tests.load.peers.process_cpu import cpu_seconds, pin, resident_mb, tree
from tests.load.peers.servers import APPS, may_have_own_network
from tests.real_stores import until

SPINS = """
import subprocess, sys, time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
if len(sys.argv) > 1: spin(0.4)
else:
    subprocess.run([sys.executable, __file__, "child"], check=True)
    print("spun", flush=True)
    subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"])
"""
LEAVES_ORPHANS = """
import os, signal, subprocess, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        Path(sys.argv[1]).write_text(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep(60)
"""


@pytest.fixture
def spun(tmp_path: Path) -> Iterator[int]:
    """A process whose child has spent 0.4 s and ended, and that has another one now."""
    script = tmp_path / "spins.py"
    script.write_text(SPINS)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "spun\n"
        until(lambda: len(tree([process.pid])) == 2)
        yield process.pid
        for pid in tree([process.pid]):
            subprocess.run(["kill", "-KILL", str(pid)], check=False)


def test_what_ended_children_spent_is_counted_and_idling_is_not(spun: int) -> None:
    first = cpu_seconds([spun])
    assert 0.35 < first < 2
    time.sleep(0.3)
    assert cpu_seconds([spun]) - first < 0.2


def test_a_tree_names_each_process_once_also_with_several_roots(spun: int) -> None:
    whole = tree([spun])
    assert spun in whole
    assert tree(whole) == whole
    assert cpu_seconds(whole) == pytest.approx(cpu_seconds([spun]), abs=0.05)


def test_a_whole_tree_is_held_to_a_core(spun: int) -> None:
    core = min(os.sched_getaffinity(0))
    pin([spun], {core})
    assert all(os.sched_getaffinity(pid) == {core} for pid in tree([spun]))
    assert 1 < resident_mb(spun) < 200


def test_processes_that_are_gone_are_no_trouble() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert tree([process.pid]) == frozenset()
    assert cpu_seconds([process.pid]) == 0
    pin([process.pid], {0})


def _keeper(tmp_path: Path, own_network: str, *command: str) -> Child:
    keeper = [sys.executable, "-IS", str(APPS / "keeper.py"), own_network]
    return start_child("kept", [*keeper, *command], log=tmp_path / "log", death_signal=signal.SIGTERM)


def test_the_keeper_ends_also_what_left_its_parent_and_ignores_signals(tmp_path: Path) -> None:
    script, told = tmp_path / "leaves.py", tmp_path / "pid"
    script.write_text(LEAVES_ORPHANS)
    child = _keeper(tmp_path, "0", sys.executable, str(script), str(told))
    try:
        until(lambda: told.exists() and told.read_text() != "")
        orphan = ProcessId.of(int(told.read_text()))
        assert orphan is not None
        assert orphan.alive()
        members = [ProcessId.of(pid) for pid in tree([child.pid])]
        assert orphan in members
    finally:
        child.stop(((signal.SIGTERM, 20.0),))
    assert not any(member.alive() for member in members if member)


def test_the_keeper_returns_the_exit_code(tmp_path: Path) -> None:
    child = _keeper(tmp_path, "0", sys.executable, "-c", "raise SystemExit(7)")
    assert child.wait(20)
    assert child.exit_code() == 7


def test_a_network_of_its_own_is_reached_from_inside_only(tmp_path: Path) -> None:
    if not may_have_own_network():
        pytest.skip("no network namespace can be made here: Ray Serve is left out of the comparison then")
    script, port = tmp_path / "serves.py", free_port()
    script.write_text(
        "import http.server, sys\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "    protocol_version = 'HTTP/1.1'\n"
        "    def do_POST(self):\n"
        "        self.send_response(200); self.send_header('content-length', '8'); self.end_headers()\n"
        "        self.wfile.write(b'{\"a\": 1}')\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()\n"
    )
    request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    child = _keeper(tmp_path, "1", sys.executable, str(script), str(port))

    def inside() -> bool:
        try:
            return answers(port, [request], child.pid) == [{"a": 1}]
        except OSError:
            return False

    try:
        until(inside)
        with pytest.raises(OSError, match="refused"):
            answers(port, [request])
    finally:
        child.stop()


def test_an_environment_is_made_once_for_each_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "HOME", tmp_path / "peers")
    monkeypatch.setattr(installed, "LOCKS", tmp_path)
    lock = tmp_path / "nothing.txt"
    lock.write_text("# no package at all\n")
    python = installed.python_of("nothing")
    mark = python.parent / "mark"
    mark.touch()
    assert installed.python_of("nothing") == python
    assert mark.exists()
    lock.write_text("# another lock\n")
    assert installed.python_of("nothing") == python
    assert not mark.exists()


def test_an_environment_that_cannot_be_made_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "HOME", tmp_path / "peers")
    monkeypatch.setattr(installed, "LOCKS", tmp_path)
    (tmp_path / "odd.txt").write_text("this is no requirement at all\n")
    with pytest.raises(Unavailable, match="could not install a peer"):
        installed.python_of("odd")
    assert not (tmp_path / "peers/odd/.lock").exists()


def test_every_peer_is_locked_with_hashes_and_names_no_host() -> None:
    locks = sorted(installed.LOCKS.glob("*.txt"))
    assert [lock.stem for lock in locks] == ["bentoml", "fastapi", "mlflow", "mlserver", "ray"]
    for lock in locks:
        text = lock.read_text()
        packages = [line for line in text.splitlines() if line[:1].isalpha()]
        assert all("==" in line and line.endswith("\\") for line in packages), lock
        assert "://" not in text
    assert installed.version_of("mlserver", "mlserver") == "1.7.1"
    assert int(installed.version_of("mlserver", "uvloop").split(".")[1]) < 22
    with pytest.raises(Unavailable, match="names no absent"):
        installed.version_of("mlserver", "absent")
