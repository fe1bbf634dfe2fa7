"""The supervisor in the background: up when it says so, or a sentence and nothing left."""

import os
import select
import signal
import socket
import sys
import threading
from http.client import HTTPConnection

import pytest

from ebb.errors import Misuse, Unavailable
from local.supervisor.detach import detach
from local.supervisor.down import down
from local.supervisor.state import State, read_state
from tests.integration.supervised import TinyCloud


@pytest.fixture(autouse=True)
def _marked(tiny_cloud: TinyCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _, value = tiny_cloud.mark.partition("=")
    monkeypatch.setenv(name, value)


def answers(state: State) -> bool:
    connection = HTTPConnection("127.0.0.1", state.ports.gateway, timeout=10)
    try:
        connection.request("GET", "/open")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def test_it_is_up_when_detach_returns_and_in_a_session_of_its_own(tiny_cloud: TinyCloud) -> None:
    state = detach(tiny_cloud.command(), tiny_cloud.folder)
    assert state.phase == "up"
    assert answers(state)
    assert os.getsid(state.supervisor.pid) == state.supervisor.pid
    log = tiny_cloud.folder / "supervisor.log"
    assert f"up {state.url}" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    done = down(tiny_cloud.folder)
    assert (done.was_up, done.forced) == (True, False)
    assert tiny_cloud.nothing_left(state)


def test_it_holds_on_to_no_file_of_its_starter(tiny_cloud: TinyCloud) -> None:
    """Or whoever reads the starter's pipes to their end, such as `make demo | tail`, would wait until it is down."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    state = detach(tiny_cloud.command(), tiny_cloud.folder)
    os.close(writer)
    ended, _, _ = select.select([reader], [], [], 5)
    down(tiny_cloud.folder)
    assert ended
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert tiny_cloud.nothing_left(state)


def test_a_second_one_is_refused_by_name(tiny_cloud: TinyCloud) -> None:
    state = detach(tiny_cloud.command(), tiny_cloud.folder)
    with pytest.raises(Misuse, match=rf"already up at {state.url} \(process {state.supervisor.pid}\)"):
        detach(tiny_cloud.command(), tiny_cloud.folder)
    assert answers(state)
    down(tiny_cloud.folder)
    assert tiny_cloud.nothing_left(state)


def test_its_own_sentence_is_told_when_it_fails(tiny_cloud: TinyCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=rf"^Port {port} is taken by another program; .* `ebb up --port N`\.$"):
            detach(tiny_cloud.command(port), tiny_cloud.folder)
    assert tiny_cloud.nothing_left()
    assert read_state(tiny_cloud.folder) is None


def test_an_old_failure_is_not_told_again(tiny_cloud: TinyCloud) -> None:
    tiny_cloud.folder.mkdir()
    (tiny_cloud.folder / "failure").write_text("old")
    state = detach(tiny_cloud.command(), tiny_cloud.folder)
    assert answers(state)
    down(tiny_cloud.folder)
    assert tiny_cloud.nothing_left(state)


def test_a_command_that_dies_before_it_can_speak_is_told_by_its_last_line(tiny_cloud: TinyCloud) -> None:
    command = [sys.executable, "-c", "import sys; print('one'); sys.exit('the last line')"]
    with pytest.raises(Unavailable, match=r"ended while it was starting; .*supervisor\.log ends with: the last line"):
        detach(command, tiny_cloud.folder)


def test_a_start_that_takes_too_long_is_stopped_again(tiny_cloud: TinyCloud) -> None:
    with pytest.raises(Unavailable, match=r"not up within 0\.4 s and was stopped again"):
        detach(tiny_cloud.command(), tiny_cloud.folder, timeout_seconds=0.4)
    assert tiny_cloud.nothing_left()
    assert read_state(tiny_cloud.folder) is None


def test_ctrl_c_while_waiting_leaves_nothing(tiny_cloud: TinyCloud) -> None:
    def interrupt() -> None:
        tiny_cloud.poll(lambda: bool(list(tiny_cloud.folder.glob("postgres/cluster.new-*"))))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        detach(tiny_cloud.command(), tiny_cloud.folder)
    thread.join()
    assert tiny_cloud.nothing_left()
    assert read_state(tiny_cloud.folder) is None
