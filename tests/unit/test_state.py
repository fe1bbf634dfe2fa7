"""The state file: read with care, written whole, never believed when its supervisor is gone."""

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse, Unavailable
from local.servers.lock import FolderLock
from local.servers.process_id import ProcessId
from local.supervisor.failure import failure_kept, kept_failure
from local.supervisor.state import (
    Ports,
    State,
    make_state_folder,
    read_state,
    refuse_second,
    remove_state,
    running_state,
    state_folder,
    write_state,
)
from local.supervisor.status import status

ME = ProcessId.of(os.getpid()) or ProcessId(0, 0)
GONE = ProcessId(ME.pid, ME.started - 1)
PORTS = Ports(gateway=8080, control=2, postgres=3, valkey=4)


def state_of(supervisor: ProcessId = ME, **changes: object) -> State:
    made = State(phase="up", supervisor=supervisor, started_at="2024-01-01T00:00:00+00:00", ports=PORTS)
    return made.model_copy(update=changes)


processes = st.builds(ProcessId, st.integers(1, 2**22), st.integers(0, 2**40))
counts = st.dictionaries(st.text(max_size=8), st.integers(0, 2**31), max_size=3)
ports = st.integers(0, 65535)
states = st.builds(
    State,
    phase=st.sampled_from(["starting", "up"]),
    supervisor=processes,
    started_at=st.text(max_size=30),
    ports=st.builds(Ports, gateway=ports, control=ports, postgres=ports, valkey=ports),
    children=st.dictionaries(st.text(max_size=12), processes, max_size=4),
    functions=counts,
    restarts=counts,
    contract=st.none() | st.text(max_size=12),
    release=st.none() | st.text(max_size=12),
)


@given(state=states)
def test_what_is_written_is_read_again(state: State, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("state")
    write_state(folder, state)
    assert read_state(folder) == state


def test_the_file_is_its_owners_only_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_state(tmp_path, state_of())
    write_state(tmp_path, state_of(release="abc"))
    assert [path.name for path in tmp_path.iterdir()] == ["up.json"]
    assert (tmp_path / "up.json").stat().st_mode & 0o777 == 0o600


def test_no_state_is_no_error(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    assert read_state(tmp_path / "absent") is None
    assert running_state(tmp_path) is None
    refuse_second(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"phase": "up"}',
        '{"phase": "perhaps", "supervisor": [1, 1], "started_at": ""}',
        '{"phase": "up", "supervisor": [1], "started_at": ""}',
        '{"phase": "up", "supervisor": [1, 1], "started_at": "", "more": 1}',
        '{"phase": "up", "supervisor": [1, 1], "started_at": "", "ports": {"gateway": -1}}',
        "\0",
    ],
)
def test_a_damaged_state_is_a_sentence_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "up.json").write_text(text)
    with pytest.raises(Unavailable, match=r"state file .*up\.json cannot be read .* then remove"):
        read_state(tmp_path)


def test_a_state_whose_supervisor_is_gone_is_stale(tmp_path: Path) -> None:
    write_state(tmp_path, state_of(GONE))
    found = read_state(tmp_path)
    assert found is not None
    assert not found.alive()
    assert running_state(tmp_path) is None
    refuse_second(tmp_path)
    assert status(tmp_path).stale


def test_a_second_supervisor_is_refused_by_name(tmp_path: Path) -> None:
    write_state(tmp_path, state_of())
    with pytest.raises(Misuse, match=rf"already up at http://127\.0\.0\.1:8080 \(process {os.getpid()}\)"):
        refuse_second(tmp_path)
    write_state(tmp_path, state_of(phase="starting"))
    with pytest.raises(Misuse, match="already starting"):
        refuse_second(tmp_path)


def test_only_ones_own_state_is_removed(tmp_path: Path) -> None:
    write_state(tmp_path, state_of())
    remove_state(tmp_path, GONE)
    assert read_state(tmp_path) is not None
    remove_state(tmp_path, ME)
    assert read_state(tmp_path) is None
    remove_state(tmp_path, ME)


def test_a_full_disk_keeps_the_state_that_was(tmp_path: Path) -> None:
    before = state_of()
    write_state(tmp_path, before)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(Unavailable, match=r"state folder .* cannot be written"):
            write_state(tmp_path, state_of(release="x" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_state(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["up.json"]


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBB_HOME", raising=False)
    assert state_folder() == tmp_path / ".ebb"
    monkeypatch.setenv("EBB_HOME", "elsewhere")
    assert state_folder() == tmp_path / "elsewhere"


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    make_state_folder(tmp_path / "a" / ".ebb")
    assert (tmp_path / "a" / ".ebb").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"name another with EBB_HOME"):
        make_state_folder(tmp_path / "file" / ".ebb")


def test_url_and_issuer_follow_from_the_ports() -> None:
    assert state_of().url == "http://127.0.0.1:8080"
    assert state_of().issuer == "http://127.0.0.1:2"


def test_status_tells_what_is_recorded_and_what_is_true(tmp_path: Path) -> None:
    children = {"valkey": ME, "postgres": GONE}
    write_state(tmp_path, state_of(children=children, functions={"predict": 2}, restarts={"valkey": 3}, release="abc"))
    told = status(tmp_path).as_dict()
    assert told["up"] is False, "nothing listens on the gateway's port"
    assert told["stale"] is False
    assert told["processes"] == {
        "valkey": {"pid": ME.pid, "alive": True, "restarts": 3},
        "postgres": {"pid": GONE.pid, "alive": False, "restarts": 0},
    }
    assert told["environments"] == {"predict": 2}
    assert told["release"] == "abc"
    assert told["url"] == "http://127.0.0.1:8080"


def test_status_of_nothing(tmp_path: Path) -> None:
    told = status(tmp_path).as_dict()
    assert told["up"] is False
    assert told["url"] is None
    assert told["ports"] == {}


def test_a_lock_has_one_holder_who_is_named(tmp_path: Path) -> None:
    lock = FolderLock.take(tmp_path, "Ebb")
    with pytest.raises(Misuse, match=f"Ebb in .* is already in the hands of process {os.getpid()};"):
        FolderLock.take(tmp_path, "Ebb")
    lock.release()
    lock.release()
    FolderLock.take(tmp_path, "Ebb").release()


def test_a_lock_in_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        FolderLock.take(tmp_path / "absent", "Ebb")


def test_a_failure_is_kept_until_the_next_start(tmp_path: Path) -> None:
    with pytest.raises(Unavailable), failure_kept(tmp_path):
        raise Unavailable("Port 1 is taken.")
    assert kept_failure(tmp_path) == "Port 1 is taken."
    with failure_kept(tmp_path):
        assert kept_failure(tmp_path) is None
    assert kept_failure(tmp_path) is None
