"""Valkey killed, frozen, loading, full, read-only, unable to save, half-open: named, cheap, and soon forgotten."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest
import redis

from ebb.errors import Unavailable
from ebb.plans import Plan, Plans
from ebb.valkey.features import ValkeyFeatures
from local.servers.valkey import Valkey
from tests.fakes.odd_server import saying, unreachable
from tests.fakes.proxy import proxy_to
from tests.fakes.stores import Counted
from tests.valkey_case import (
    INTERVAL,
    SLACK,
    answers,
    client,
    eventually,
    failure,
    record,
    running,
    timed,
)

TIMEOUT = 0.010
PLANS = Plans(Plan(1e6, 1e6))
BUSY = 0.1
"""Seconds that a busy machine may take on top of a timeout."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture
def server(stack: ExitStack, tmp_path: Path) -> Valkey:
    return stack.enter_context(running(tmp_path / "valkey", options=("--enable-debug-command", "local")))


@pytest.fixture
def noted() -> Counted:
    return Counted()


@pytest.fixture
def fast(server: Valkey, noted: Counted) -> ValkeyFeatures:
    tier = ValkeyFeatures("127.0.0.1", server.port, plans=PLANS, signals=noted)
    tier.put({"x": record(1)})
    eventually(lambda: answers(tier) is not None)
    return tier


def _works(fast: ValkeyFeatures) -> bool:
    return answers(fast) is not None


def _back_in_time(fast: ValkeyFeatures) -> None:
    assert eventually(lambda: _works(fast)) < INTERVAL + SLACK
    # And it stays: what was on its way when it failed answers nobody.
    assert sum(_works(fast) for _ in range(50)) >= 45


def _costs_one_timeout_an_interval(fast: ValkeyFeatures, noted: Counted) -> None:
    """Ask 2.5 intervals long, after the breaker has opened."""
    eventually(lambda: answers(fast) is None and noted.gauges.get("breaker_valkey") == 2)
    slow, longest, began = 0, 0.0, time.monotonic()
    while time.monotonic() - began < 2.5 * INTERVAL:
        seconds, answer = timed(fast)
        assert answer is None
        slow += seconds > TIMEOUT / 2
        longest = max(longest, seconds)
        time.sleep(0.001)
    probes = noted.counts["breaker_valkey_half_open"]
    assert 2 <= probes <= 4
    assert slow <= probes + 2  # two for the machine's own pauses
    assert longest < TIMEOUT + BUSY


def test_killed_it_is_away_at_once_and_back_with_the_server(
    server: Valkey, fast: ValkeyFeatures, stack: ExitStack, tmp_path: Path
) -> None:
    server.id.send(signal.SIGKILL)
    assert server.id.wait_gone(5)
    error = failure(fast)
    assert not error.timeout
    told = str(error).replace("ConnectionResetError", "ConnectionError")  # which of them depends on what it had read
    assert told == "Valkey does not answer (ConnectionError); it is asked again within a second."
    eventually(lambda: not _works(fast) and max(timed(fast)[0] for _ in range(50)) < TIMEOUT)
    stack.enter_context(running(tmp_path / "again", server.port))
    _back_in_time(fast)


def test_restarted_unnoticed_the_first_question_is_answered(
    server: Valkey, fast: ValkeyFeatures, stack: ExitStack, tmp_path: Path
) -> None:
    """The end of an idle connection is seen before anything is sent on it."""
    server.stop()
    again = stack.enter_context(running(tmp_path / "again", server.port))
    assert fast.ask("x", "c").record is None
    fast.put({"x": record(1)})
    with client(again) as valkey:
        assert valkey.exists("f:x")


def test_frozen_it_costs_one_timeout_an_interval_and_is_back_when_it_thaws(
    server: Valkey, fast: ValkeyFeatures, noted: Counted
) -> None:
    server.id.send(signal.SIGSTOP)
    error = failure(fast)
    assert error.timeout
    assert "(timeout)" in str(error)
    _costs_one_timeout_an_interval(fast, noted)
    server.id.send(signal.SIGCONT)
    _back_in_time(fast)
    assert noted.gauges["breaker_valkey"] == 0


def test_a_network_that_swallows_everything_costs_as_little(server: Valkey, noted: Counted, stack: ExitStack) -> None:
    proxy = stack.enter_context(proxy_to(server.port))
    fast = ValkeyFeatures("127.0.0.1", proxy.port, signals=noted)
    eventually(lambda: _works(fast))
    proxy.swallow(on=True)
    assert failure(fast).timeout
    _costs_one_timeout_an_interval(fast, noted)
    proxy.swallow(on=False)
    _back_in_time(fast)


def test_a_host_that_is_gone_costs_as_little_though_it_is_never_connected(noted: Counted) -> None:
    with unreachable() as port:
        fast = ValkeyFeatures("127.0.0.1", port, signals=noted)
        assert failure(fast).timeout
        _costs_one_timeout_an_interval(fast, noted)


def test_a_login_that_is_never_answered_costs_no_more_than_a_read(server: Valkey, stack: ExitStack) -> None:
    """The connection opens, and then nothing comes: connecting has the read's own time, the login included."""
    proxy = stack.enter_context(proxy_to(server.port))
    proxy.swallow(on=True)
    fast = ValkeyFeatures("127.0.0.1", proxy.port, password="secret")
    for _ in range(3):
        seconds, answer = timed(fast)
        assert answer is None
        assert seconds < TIMEOUT + BUSY


@pytest.mark.parametrize("reply", [b"$1000\r\n" + b"x" * 1000, b":0\r\n$-1\r\n:", b"*2\r\n:1\r\n"])
def test_a_reply_that_trickles_is_not_waited_for(reply: bytes) -> None:
    with saying(reply, 0.002) as port:
        fast = ValkeyFeatures("127.0.0.1", port)
        eventually(lambda: timed(fast) is not None)
        fast = ValkeyFeatures("127.0.0.1", port)
        for _ in range(3):
            seconds, answer = timed(fast)
            assert answer is None
            assert seconds < TIMEOUT + BUSY


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x46", b"-NO\r\n" * 9]
)
def test_who_is_no_valkey_is_unavailable(reply: bytes) -> None:
    with saying(reply, 0.0) as port:
        fast = ValkeyFeatures("127.0.0.1", port, timeout=0.2)
        with pytest.raises(Unavailable, match="Valkey does not answer") as told:
            fast.ask("x", "c")
        assert "HTTP" not in str(told.value)
        with pytest.raises(Unavailable, match="Valkey does not answer"):
            fast.put({"x": record(1)})


def test_loading_is_named(server: Valkey, fast: ValkeyFeatures) -> None:
    with client(server) as valkey, redis.Redis(port=server.port, socket_timeout=30) as other:
        valkey.mset({f"k{number}": "x" * 100 for number in range(15_000)})
        valkey.config_set("rdbcompression", "no")
        valkey.config_set("key-load-delay", 100)
        valkey.config_set("loading-process-events-interval-bytes", 1_024)
        reload = Thread(target=lambda: other.execute_command("DEBUG", "RELOAD"))
        reload.start()
        try:
            told = _names_until(fast, "LOADING")
            valkey.config_set("key-load-delay", 0)
        finally:
            reload.join(30)
    assert not told.timeout
    _back_in_time(fast)
    assert fast.ask("x", "c").record == record(1)


def test_out_of_memory_is_named_and_nothing_old_answers_afterwards(server: Valkey, fast: ValkeyFeatures) -> None:
    with client(server) as valkey:
        valkey.config_set("maxmemory-policy", "noeviction")
        valkey.config_set("maxmemory", 1)
        with pytest.raises(Unavailable, match=r"\(OOM\)"):
            fast.put({"x": record(2, 2.0)})
        assert not valkey.exists("f:x")
        assert "(OOM)" in str(failure(fast))
        valkey.config_set("maxmemory", 0)
    _back_in_time(fast)
    fast.put({"x": record(2, 2.0)})
    assert fast.ask("x", "c").record == record(2, 2.0)


def test_a_read_only_replica_is_named_and_serves_once_it_is_promoted(
    server: Valkey, stack: ExitStack, tmp_path: Path
) -> None:
    replica = stack.enter_context(running(tmp_path / "replica", replica_of=server.port))
    fast = ValkeyFeatures("127.0.0.1", replica.port, plans=PLANS)
    with pytest.raises(Unavailable, match=r"\(READONLY\)"):
        fast.put({"x": record(1)})
    assert "(READONLY)" in str(failure(fast))
    replica.promote()
    _back_in_time(fast)
    fast.put({"x": record(1)})
    assert fast.ask("x", "c").record == record(1)


def test_a_server_that_cannot_save_is_named(server: Valkey, fast: ValkeyFeatures, tmp_path: Path) -> None:
    with client(server) as valkey:
        (tmp_path / "valkey" / "dump.rdb").mkdir()  # it cannot be replaced by a file
        valkey.config_set("save", "3600 1")
        valkey.bgsave()
        eventually(lambda: valkey.info("persistence")["rdb_last_bgsave_status"] == "err")
        with pytest.raises(Unavailable, match=r"\(MISCONF\)"):
            fast.put({"x": record(2)})
        assert "(MISCONF)" in str(failure(fast))
        valkey.config_set("save", "")
    _back_in_time(fast)
    fast.put({"x": record(2)})
    assert fast.ask("x", "c").record == record(2)


def test_a_frozen_server_blocks_no_writer_for_long(server: Valkey, fast: ValkeyFeatures) -> None:
    server.id.send(signal.SIGSTOP)
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"\(timeout\)"):
            fast.put({"x": record(2)})
        assert time.monotonic() - began < 0.5 + SLACK
    began = time.monotonic()
    with pytest.raises(Unavailable, match="left alone"):
        fast.put({"x": record(2)})
    assert time.monotonic() - began < TIMEOUT + BUSY
    server.id.send(signal.SIGCONT)
    _back_in_time(fast)


@pytest.mark.parametrize("call", ["held", "hot", "scan"])
def test_who_looks_after_a_lost_tier_is_told(server: Valkey, fast: ValkeyFeatures, call: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "held": lambda: fast.held(["x"]),
        "hot": lambda: fast.hot(10),
        "scan": lambda: list(fast.scan()),
    }
    calls[call]()
    server.stop()
    with pytest.raises(Unavailable, match="Valkey does not answer"):
        calls[call]()


def _names_until(fast: ValkeyFeatures, name: str) -> Unavailable:
    for _ in range(100):
        error = failure(fast)
        if f"({name})" in str(error):
            return error
    raise AssertionError(f"the tier never named {name}")
