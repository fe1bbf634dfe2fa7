"""The whole local cloud with real servers and a tiny function: up, kept up, and down without a trace."""

import os
import signal
import socket
import time
from http.client import HTTPConnection

import orjson
import pytest
import redis
from pg8000.native import Connection

from local.identity import Identity
from local.servers.ports import free_port
from local.supervisor.down import Stopped, down
from local.supervisor.failure import kept_failure
from local.supervisor.state import State, read_state
from local.supervisor.status import status
from tests.integration.supervised import TinyCloud

PHASES = {
    "servers": "up.json",
    "initdb": "postgres/cluster.new-*/data/base",
    "cluster": "postgres/cluster",
    "functions": "functions",
}
"""What the state folder holds at several moments of a start."""


def get(port: int, path: str, token: str | None = None) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def kept_rows(tiny_cloud: TinyCloud, state: State) -> int:
    password = (tiny_cloud.folder / "postgres" / "cluster" / "password").read_text()
    connection = Connection("ebb", "127.0.0.1", "postgres", state.ports.postgres, password)
    try:
        return int(connection.run("SELECT count(*) FROM kept")[0][0])
    finally:
        connection.close()


def filled(state: State) -> bytes | None:
    with redis.Redis(port=state.ports.valkey, socket_timeout=5) as valkey:
        value: bytes | None = valkey.get("filled")
        return value


def test_up_serves_prepared_servers_and_keys_and_sigterm_leaves_nothing(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    assert get(state.ports.gateway, "/open") == (200, f"/open {state.ports.valkey}".encode())
    assert get(state.ports.gateway, "/closed")[0] == 401
    identity = Identity.load_or_create(tiny_cloud.folder)
    token = identity.mint("test", [], 5, state.issuer, "ebb")
    assert get(state.ports.gateway, "/closed", token)[0] == 200
    other = identity.mint("test", [], 5, "http://127.0.0.1:1", "ebb")
    assert get(state.ports.gateway, "/closed", other)[0] == 401
    published = orjson.loads(get(state.ports.control, "/.well-known/openid-configuration")[1])
    assert published["issuer"] == state.issuer
    assert orjson.loads(get(state.ports.control, "/.well-known/jwks.json")[1]) == identity.jwks()
    assert kept_rows(tiny_cloud, state) == 1
    assert tiny_cloud.poll(lambda: filled(state) is not None), "the schedule runs without being asked"

    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert tiny_cloud.nothing_left(state)
    assert read_state(tiny_cloud.folder) is None


def test_status_tells_the_truth(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    told = status(tiny_cloud.folder).as_dict()
    assert told["up"] is True
    assert told["url"] == f"http://127.0.0.1:{state.ports.gateway}"
    assert (told["contract"], told["release"]) == ("tiny", "0123456789ab")
    assert told["environments"] == {"tiny": 2}
    assert told["supervisor"] == process.pid
    found = status(tiny_cloud.folder)
    assert {one.name for one in found.processes} == {"valkey", "postgres", "tiny/0", "tiny/1"}
    assert all(one.alive for one in found.processes)
    assert all(found.listening.values())


def test_down_stops_it_and_says_so_once(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    done = down(tiny_cloud.folder)
    assert (done.was_up, done.supervisor, done.forced, done.leftovers) == (True, process.pid, False, [])
    assert done.seconds < 10
    assert process.wait(5) == 0
    assert tiny_cloud.nothing_left(state)
    assert down(tiny_cloud.folder) == Stopped()


def test_a_killed_supervisor_takes_everything_along_and_the_data_stay(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    process.kill()
    process.wait()
    assert tiny_cloud.nothing_left(state), "nothing had to be told to end"
    assert status(tiny_cloud.folder).stale
    done = down(tiny_cloud.folder)
    assert (done.supervisor, done.leftovers) == (None, [])
    assert read_state(tiny_cloud.folder) is None

    _, again = tiny_cloud.up()
    assert kept_rows(tiny_cloud, again) == 2


def test_down_right_after_a_kill_waits_for_what_is_leaving(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    process.kill()
    done = down(tiny_cloud.folder)
    assert done.leftovers == []
    assert not tiny_cloud.running()
    assert tiny_cloud.nothing_left(state)
    process.wait()


def test_up_again_right_after_a_kill_needs_no_down(tiny_cloud: TinyCloud) -> None:
    process, _ = tiny_cloud.up()
    process.kill()
    process.wait()
    _, state = tiny_cloud.up()
    assert kept_rows(tiny_cloud, state) == 2


def test_a_frozen_supervisor_is_killed_by_down(tiny_cloud: TinyCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.supervisor.down._SUPERVISOR_SECONDS", 0.5)
    process, state = tiny_cloud.up()
    process.send_signal(signal.SIGSTOP)
    done = down(tiny_cloud.folder)
    assert done.forced
    assert tiny_cloud.nothing_left(state)
    process.wait()


def test_a_taken_gateway_port_is_told_before_anything_starts(tiny_cloud: TinyCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = tiny_cloud.start(port)
        assert process.wait(30) == 1
    sentence = f"Port {port} is taken by another program; free it, or name another with `ebb up --port N`."
    assert f"ebb: {sentence}" in tiny_cloud.log.read_text()
    assert kept_failure(tiny_cloud.folder) == sentence
    assert not (tiny_cloud.folder / "valkey").exists()
    assert not (tiny_cloud.folder / "postgres").exists()


def test_the_asked_port_is_served(tiny_cloud: TinyCloud) -> None:
    port = free_port()
    _, state = tiny_cloud.up(port)
    assert state.ports.gateway == port
    assert get(port, "/open")[0] == 200


def test_a_second_one_is_refused_and_the_first_goes_on(tiny_cloud: TinyCloud) -> None:
    first, state = tiny_cloud.up()
    second = tiny_cloud.start()
    assert second.wait(30) == 1
    assert f"ebb: Ebb is already up at {state.url} (process {first.pid})" in tiny_cloud.log.read_text()
    assert get(state.ports.gateway, "/open")[0] == 200


def test_two_started_at_the_same_time_leave_one(tiny_cloud: TinyCloud) -> None:
    both = [tiny_cloud.start(), tiny_cloud.start()]
    assert tiny_cloud.poll(lambda: tiny_cloud.is_up() and any(one.poll() is not None for one in both))
    state = tiny_cloud.state()
    assert get(state.ports.gateway, "/open")[0] == 200
    assert sorted(str(one.poll()) for one in both) == ["1", "None"]


@pytest.mark.parametrize("name", ["valkey", "postgres"])
def test_a_server_that_dies_is_back_on_its_port(tiny_cloud: TinyCloud, name: str) -> None:
    _, state = tiny_cloud.up()
    assert tiny_cloud.poll(lambda: filled(state) is not None)
    before = filled(state)
    assert state.children[name].send(signal.SIGKILL)
    assert tiny_cloud.poll(lambda: tiny_cloud.state().restarts == {name: 1})
    now = tiny_cloud.state()
    assert now.children[name] != state.children[name]
    assert now.ports == state.ports
    assert kept_rows(tiny_cloud, now) == 1
    if name == "valkey":
        assert tiny_cloud.poll(lambda: filled(now) not in {None, before}), "it came back empty and is filled again"
    assert get(now.ports.gateway, "/open")[0] == 200
    assert f"{name} is back on port" in tiny_cloud.log.read_text()
    assert status(tiny_cloud.folder).as_dict()["processes"][name]["restarts"] == 1  # type: ignore[index]


def test_a_server_that_cannot_come_back_is_tried_again_until_it_can(tiny_cloud: TinyCloud) -> None:
    _, state = tiny_cloud.up()
    assert tiny_cloud.poll(lambda: filled(state) is not None), "a connection in use would hold the port"
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        state.children["valkey"].send(signal.SIGSTOP)
        state.children["valkey"].send(signal.SIGKILL)
        assert tiny_cloud.poll(lambda: take(squatter, state.ports.valkey), 5)
        assert tiny_cloud.poll(lambda: "valkey is not back yet" in tiny_cloud.log.read_text())
        assert get(state.ports.gateway, "/open")[0] == 200
    assert tiny_cloud.poll(lambda: tiny_cloud.state().restarts == {"valkey": 1})
    assert filled(state) is not None or tiny_cloud.poll(lambda: filled(state) is not None)


def take(squatter: socket.socket, port: int) -> bool:
    try:
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
    except OSError:
        return False
    return True


def test_a_state_folder_that_is_removed_does_not_end_the_serving(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    (tiny_cloud.folder / "up.json").unlink()
    tiny_cloud.folder.rename(tiny_cloud.folder.with_name("moved"))
    assert state.children["tiny/0"].send(signal.SIGKILL)
    assert tiny_cloud.poll(lambda: "cannot be written" in tiny_cloud.log.read_text())
    assert get(state.ports.gateway, "/open")[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert tiny_cloud.log.read_text().count("cannot be written") == 1
    assert tiny_cloud.nothing_left(state)


def test_a_respawned_environment_is_recorded(tiny_cloud: TinyCloud) -> None:
    _, state = tiny_cloud.up()
    assert state.children["tiny/0"].send(signal.SIGKILL)
    assert tiny_cloud.poll(lambda: tiny_cloud.state().children.get("tiny/0") not in {None, state.children["tiny/0"]})
    assert tiny_cloud.poll(lambda: tiny_cloud.state().functions == {"tiny": 2})


@pytest.mark.parametrize(
    ("number", "phase"),
    [
        *((number, phase) for number in (signal.SIGINT, signal.SIGKILL) for phase in PHASES),
        (signal.SIGTERM, "initdb"),
        (signal.SIGHUP, "functions"),
    ],
)
def test_a_start_that_is_interrupted_leaves_nothing(tiny_cloud: TinyCloud, number: signal.Signals, phase: str) -> None:
    process = tiny_cloud.start()
    assert tiny_cloud.poll(lambda: any(tiny_cloud.folder.glob(PHASES[phase]))), tiny_cloud.log.read_text()
    process.send_signal(number)
    code = process.wait(30)
    assert tiny_cloud.nothing_left(), tiny_cloud.running()
    if number is signal.SIGKILL:
        assert code == -signal.SIGKILL
        down(tiny_cloud.folder)
    else:
        assert code == 0
        assert not list(tiny_cloud.folder.glob("postgres/cluster.new-*"))
    assert read_state(tiny_cloud.folder) is None


def test_after_an_interrupted_initdb_the_next_start_works(tiny_cloud: TinyCloud) -> None:
    process = tiny_cloud.start()
    assert tiny_cloud.poll(lambda: bool(list(tiny_cloud.folder.glob("postgres/cluster.new-*/data/base"))))
    process.kill()
    process.wait()
    assert tiny_cloud.nothing_left()
    _, state = tiny_cloud.up()
    assert kept_rows(tiny_cloud, state) == 1
    assert not list(tiny_cloud.folder.glob("postgres/cluster.new-*"))


def test_ctrl_c_at_a_terminal_reaches_the_whole_group_and_is_borne_twice(tiny_cloud: TinyCloud) -> None:
    process, state = tiny_cloud.up()
    assert os.getpgid(process.pid) == process.pid
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 0
    assert tiny_cloud.nothing_left(state)


def test_a_function_that_cannot_start_is_a_sentence_and_nothing_is_left(tiny_cloud: TinyCloud) -> None:
    (tiny_cloud.code / "tiny.py").write_text("import no_such_module\n")
    process = tiny_cloud.start()
    assert process.wait(90) == 1
    assert tiny_cloud.nothing_left()
    assert "tiny" in (kept_failure(tiny_cloud.folder) or "")
    assert "Traceback" not in tiny_cloud.log.read_text()
    assert read_state(tiny_cloud.folder) is None


def test_a_preparation_that_blocks_does_not_hold_an_interrupt_up(
    tiny_cloud: TinyCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBB_TEST_PREPARE", "block")
    process = tiny_cloud.start()
    assert tiny_cloud.poll(lambda: "blocking" in tiny_cloud.log.read_text())
    assert set(tiny_cloud.state().children) == {"valkey", "postgres"}, "recorded before anything is prepared"
    assert status(tiny_cloud.folder).as_dict()["phase"] == "starting"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert tiny_cloud.nothing_left()


def test_a_preparation_that_fails_is_a_sentence_and_nothing_is_left(
    tiny_cloud: TinyCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBB_TEST_PREPARE", "fail")
    assert tiny_cloud.start().wait(30) == 1
    assert tiny_cloud.nothing_left()
    assert kept_failure(tiny_cloud.folder) == "The table cannot be loaded; choose another."
    assert "Traceback" not in tiny_cloud.log.read_text()


def test_up_and_down_are_fast(tiny_cloud: TinyCloud) -> None:
    """About 1.3 s and 0.2 s are typical; 10 s are promised for both phases of a busy machine."""
    began = time.monotonic()
    _, state = tiny_cloud.up()
    assert get(state.ports.gateway, "/open")[0] == 200
    assert time.monotonic() - began < 10
    assert down(tiny_cloud.folder).seconds < 10
    assert os.listdir(tiny_cloud.folder / "valkey") == ["valkey.log"]  # noqa: PTH208
