"""A state folder that lies: nothing foreign is ever signalled, and every oddity is a sentence."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ebb.errors import Misuse, Unavailable
from local.identity import Identity
from local.servers.lock import FolderLock
from local.servers.process_id import ProcessId
from local.supervisor.down import down
from local.supervisor.state import State, read_state, refuse_second, write_state
from local.supervisor.status import status


@pytest.fixture
def bystander() -> Iterator[ProcessId]:
    """Return a process that is none of Ebb's; it must outlive every attack."""
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    assert process.stdout is not None
    process.stdout.readline()
    found = ProcessId.of(process.pid)
    assert found is not None
    yield found
    try:
        assert process.poll() is None, "a process that is not Ebb's was ended"
    finally:
        process.kill()
        process.communicate()


def write(folder: Path, **changes: Any) -> None:
    """Write an up.json as somebody with an editor could."""
    state = State(phase="up", supervisor=ProcessId(2**22 + 1, 1), started_at="")
    (folder / "up.json").write_text(json.dumps(json.loads(state.model_dump_json()) | changes))


def test_a_recycled_pid_is_never_signalled(tmp_path: Path, bystander: ProcessId) -> None:
    recycled = [bystander.pid, bystander.started - 1]
    write(tmp_path, supervisor=recycled, children={"valkey": recycled, "predict/0": recycled})
    stopped = down(tmp_path)
    assert not stopped.was_up
    assert stopped.leftovers == []
    assert not (tmp_path / "up.json").exists()


@pytest.mark.parametrize("pid", [0, -1, -12, 2**31, 2**40, 2**62])
def test_numbers_that_are_no_pid_reach_nobody(tmp_path: Path, bystander: ProcessId, pid: int) -> None:
    assert bystander.alive()
    nobody = ProcessId(pid, 0)
    assert not nobody.alive()
    assert not nobody.send(signal.SIGTERM)
    assert nobody.wait_gone(0.0)
    write(tmp_path, supervisor=[pid, 0], children={"valkey": [pid, 0]})
    assert down(tmp_path).leftovers == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ports": {"gateway": 65_536}},
        {"ports": {"gateway": -1}},
        {"ports": {"gateway": "x"}},
        {"supervisor": None},
        {"supervisor": [1]},
        {"supervisor": ["1; rm -rf /", 1]},
        {"supervisor": {"pid": 1}},
        {"children": {"valkey": "1"}},
        {"children": [1]},
        {"phase": "down"},
        {"more": 1},
    ],
    ids=repr,
)
def test_a_state_that_ebb_never_wrote_is_a_sentence(tmp_path: Path, changes: dict[str, Any]) -> None:
    write(tmp_path, **changes)
    for call in (read_state, refuse_second, status, down):
        with pytest.raises(Unavailable, match=r"up\.json cannot be read"):
            call(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"[" * 100_000, b"\xff\xfe", b"null", b"{}"])
def test_bytes_that_are_no_state_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "up.json").write_bytes(content)
    with pytest.raises(Unavailable, match=r"up\.json cannot be read"):
        down(tmp_path)


def test_a_state_that_is_a_folder_or_a_loop_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "up.json").symlink_to("up.json")
    with pytest.raises(Unavailable, match=r"up\.json cannot be read"):
        read_state(tmp_path)
    (tmp_path / "up.json").unlink()
    (tmp_path / "up.json").mkdir()
    with pytest.raises(Unavailable, match=r"up\.json cannot be read"):
        down(tmp_path)


def test_writing_the_state_never_follows_a_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "up.json").symlink_to(outside)
    write_state(folder, State(phase="up", supervisor=ProcessId(os.getpid(), 1), started_at=""))
    assert outside.read_text() == "mine"
    assert not (folder / "up.json").is_symlink()


@pytest.mark.parametrize("holder", [b"", b"\xff\xfe", b"1\n2", b"9" * 100])
def test_what_stands_in_the_lock_is_only_ever_shown(tmp_path: Path, holder: bytes, bystander: ProcessId) -> None:
    assert bystander.alive()
    first = FolderLock.take(tmp_path, "Ebb")
    (tmp_path / "lock").write_bytes(holder)
    with pytest.raises(Misuse, match="already in the hands of process"):
        FolderLock.take(tmp_path, "Ebb")
    first.release()
    FolderLock.take(tmp_path, "Ebb").release()


@pytest.mark.parametrize("content", [b"", b"\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "identity.pem").write_bytes(content)
    with pytest.raises(Misuse, match="is not a private key; delete it"):
        Identity.load_or_create(tmp_path)


def test_a_key_that_cannot_be_kept_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "identity.pem").mkdir()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path):
        with pytest.raises(Unavailable, match="cannot be kept"):
            Identity.load_or_create(folder)


def test_the_key_is_its_owners_only_whatever_it_was(tmp_path: Path) -> None:
    made = Identity.load_or_create(tmp_path)
    path = tmp_path / "identity.pem"
    path.chmod(0o666)
    assert Identity.load_or_create(tmp_path).kid == made.kid
    assert path.stat().st_mode & 0o777 == 0o600
