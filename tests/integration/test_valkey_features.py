"""What only the real fast tier does: lives that end or begin anew, foreign values, logins, threads."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from ebb.errors import Unavailable
from ebb.plans import Plan, Plans
from ebb.ports import FeatureRecord
from ebb.valkey.features import ValkeyFeatures
from ebb.valkey.link import Link
from local.servers.valkey import Valkey
from tests.valkey_case import client, eventually, record, running, wait_of


@pytest.fixture
def fast(valkey_server: Valkey) -> Iterator[ValkeyFeatures]:
    tier = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0)
    yield tier
    tier.close()


def _brief(server: Valkey, ttl: float, shortest_ttl: float | None = None) -> ValkeyFeatures:
    return ValkeyFeatures("127.0.0.1", server.port, timeout=2.0, ttl=ttl, shortest_ttl=shortest_ttl)


def _id() -> str:
    return f"e-{uuid4().hex}"


def test_a_record_leaves_at_the_end_of_its_life_and_says_how_old_it_is(valkey_server: Valkey) -> None:
    brief, who = _brief(valkey_server, 1.0), _id()
    brief.put({who: record(1)})
    first = brief.ask(who, "c")
    assert first.record is not None
    assert 0 <= first.since_put < 0.9
    seen = [first.since_put]
    while (answer := brief.ask(who, "c")).record is not None:
        seen.append(answer.since_put)
        time.sleep(0.01)
        assert len(seen) < 500
        if len(seen) == 4:  # before it is hot: whoever is read on and on would stay
            break
    assert seen == sorted(seen)
    eventually(lambda: who not in brief.held([who]))


def test_no_script_of_a_large_write_keeps_a_read_waiting(tmp_path: Path) -> None:
    """A read waits for one script at most: each holds a few of the records, and takes well below 10 ms."""
    names = [f"feature_{number}" for number in range(20)]
    content = FeatureRecord(dict.fromkeys(names, 1.5), dict.fromkeys(names, 1.5e9), 1, "ab" * 16)
    with running(tmp_path) as server, client(server) as valkey:
        tier = ValkeyFeatures("127.0.0.1", server.port, timeout=2.0)
        tier.put({f"e{number}": content for number in range(4_000)})
        tier.close()
        scripts = valkey.info("commandstats")["cmdstat_evalsha"]
        assert valkey.dbsize() == 4_000
    assert scripts["calls"] >= 4_000 / 64
    assert scripts["usec_per_call"] < 5_000


def test_every_record_has_a_life(fast: ValkeyFeatures, valkey_server: Valkey) -> None:
    who = _id()
    fast.put({who: record(1)})
    with client(valkey_server) as valkey:
        assert 364 * 86_400 < valkey.ttl(f"f:{who}") <= 365 * 86_400


def test_an_equal_version_lives_longer_and_a_lower_one_changes_nothing(valkey_server: Valkey) -> None:
    who, brief, long = _id(), _brief(valkey_server, 50.0), _brief(valkey_server, 500.0)
    with client(valkey_server) as valkey:
        brief.put({who: record(5)})
        long.put({who: record(4)})
        assert valkey.ttl(f"f:{who}") <= 50
        long.put({who: record(5)})
        assert valkey.ttl(f"f:{who}") > 400
        brief.put({who: record(5)})
        assert valkey.ttl(f"f:{who}") > 400


def test_a_hot_entity_never_leaves_and_a_cold_one_does(valkey_server: Valkey) -> None:
    tier, hot, cold = _brief(valkey_server, 0.8), _id(), _id()
    tier.put({hot: record(1), cold: record(1)})
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        answer = tier.ask(hot, "c")
        assert answer.record == record(1)
        assert answer.since_put < 0.75
        time.sleep(0.01)
    assert tier.held([hot, cold]) == {hot: record(1)}
    eventually(lambda: not tier.held([hot]))


def test_a_hot_life_begins_anew_when_half_of_the_shortest_is_over(valkey_server: Valkey) -> None:
    tier, who = _brief(valkey_server, 100.0, shortest_ttl=1.0), _id()
    tier.put({who: record(1)})
    ages = []
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        ages.append(tier.ask(who, "c").since_put)
        time.sleep(0.01)
    assert 0.45 < max(ages) < 0.9
    assert min(ages[-100:]) < 0.1


def test_counts_of_reads_halve_every_minute(fast: ValkeyFeatures, valkey_server: Valkey) -> None:
    who = _id()
    fast.put({who: record(1)})
    for _ in range(8):
        fast.ask(who, "c")
    with client(valkey_server) as valkey:
        now = valkey.time()[0] / 60
        assert valkey.zscore("hot", who) == pytest.approx(now + 3, abs=0.05)
        assert who in fast.hot(2_000)
        valkey.zadd("hot", {who: now - 1 + 3})
        assert who not in fast.hot(2_000)
        fast.ask(who, "c")
        assert valkey.zscore("hot", who) == pytest.approx(now + 2.32, abs=0.05)  # 8 / 2 + 1 = 5


def test_a_clock_that_lags_after_a_failover_makes_nobody_wait_for_long(
    fast: ValkeyFeatures, valkey_server: Valkey
) -> None:
    limited, who, name = ValkeyFeatures("127.0.0.1", valkey_server.port, plans=Plans(Plan(10.0, 5))), _id(), _id()
    fast.put({who: record(1)})
    with client(valkey_server) as valkey:
        ahead = valkey.time()[0] + 3_600
        valkey.set(f"rl:{name}", ahead * 1_000_000)
        valkey.zadd("hot", {who: ahead / 60})
    wait = wait_of(limited.ask(who, name))
    assert 0 < wait <= 0.11
    assert limited.ask(who, _id()).record == record(1)


def test_a_limit_is_one_for_all_environments_and_forgets_idle_clients(valkey_server: Valkey) -> None:
    limit, name = Plan(rate=0.5, burst=4), _id()
    environments = [ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0, plans=Plans(limit)) for _ in range(5)]
    assert [wait_of(tier.ask("x", name)) for tier in environments] == [0.0] * 5
    assert all(wait_of(tier.ask("x", name)) for tier in environments)
    with client(valkey_server) as valkey:
        assert 0 < valkey.ttl(f"rl:{name}") <= 11


def test_who_waits_as_told_may_ask(valkey_server: Valkey) -> None:
    tier = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0, plans=Plans(Plan(rate=20.0, burst=0)))
    name = _id()
    assert wait_of(tier.ask("x", name)) == 0.0
    wait = wait_of(tier.ask("x", name))
    assert wait
    time.sleep(wait)
    assert wait_of(tier.ask("x", name)) == 0.0


@pytest.mark.parametrize("junk", [b"", b"junk", b"zzzzzzzzzzzzzzzz{}", b"0000000000000009", b"0000000000000001[]"])
def test_what_is_no_record_counts_as_forgotten(fast: ValkeyFeatures, valkey_server: Valkey, junk: bytes) -> None:
    who = _id()
    with client(valkey_server) as valkey:
        valkey.set(f"f:{who}", junk)
    assert fast.ask(who, "c").record is None
    assert fast.held([who]) == {}
    fast.put({who: record(10)})
    assert fast.ask(who, "c").record == record(10)


def test_a_key_of_another_kind_counts_as_forgotten(fast: ValkeyFeatures, valkey_server: Valkey) -> None:
    who = _id()
    with client(valkey_server) as valkey:
        valkey.rpush(f"f:{who}", "a", "b")
    assert fast.ask(who, "c").record is None
    fast.put({who: record(1)})
    assert fast.ask(who, "c").record == record(1)


def test_the_highest_routing_version_seen_applies(tmp_path: Path) -> None:
    with running(tmp_path) as server, client(server) as valkey:
        tier = ValkeyFeatures("127.0.0.1", server.port, timeout=2.0)
        told = []
        for stored in (None, "5", "3", "junk", "7"):
            if stored is not None:
                valkey.set("routing:version", stored)
            told.append(tier.ask("x", "c").routing)
        assert told == [0, 5, 5, 5, 7]
        tier.close()


def test_scripts_that_the_server_forgot_are_loaded_again(fast: ValkeyFeatures, valkey_server: Valkey) -> None:
    with client(valkey_server) as valkey:
        for version in range(1, 4):
            valkey.script_flush()
            fast.put({"forgot": record(version)})
            valkey.script_flush()
            assert fast.ask("forgot", "c").record == record(version)


def test_one_question_is_one_round_trip_and_one_connection(tmp_path: Path) -> None:
    with running(tmp_path) as server, client(server) as valkey:
        tier = ValkeyFeatures("127.0.0.1", server.port, timeout=2.0)
        tier.ask("x", "c")
        before = valkey.info("stats")
        for _ in range(100):
            tier.ask("x", "c")
        after = valkey.info("stats")
        assert after["total_connections_received"] == before["total_connections_received"]
        assert after["total_commands_processed"] - before["total_commands_processed"] <= 100 * (4 + 3) + 1
        tier.close()


def test_the_server_spends_less_than_50_us_on_a_script(tmp_path: Path) -> None:
    with running(tmp_path) as server, client(server) as valkey:
        tier = ValkeyFeatures("127.0.0.1", server.port, timeout=2.0, plans=Plans(Plan(1e6, 1e6)))
        crowd = [f"e{number}" for number in range(2_000)]
        tier.put({who: record(1) for who in crowd})
        for who in crowd:
            tier.ask(who, "c")
        valkey.config_resetstat()
        for who in crowd:
            tier.ask(who, "c")
        assert valkey.info("commandstats")["cmdstat_evalsha"]["usec_per_call"] < 50
        tier.close()


def test_warmed_up_no_connection_is_opened_by_a_request(tmp_path: Path) -> None:
    with running(tmp_path) as server, client(server) as valkey:
        tier = ValkeyFeatures("127.0.0.1", server.port, timeout=2.0)
        tier.warm()
        opened = valkey.info("stats")["total_connections_received"]
        tier.ask("x", "c")
        assert valkey.info("stats")["total_connections_received"] == opened
        tier.close()
    tier.warm()  # a server that is away is no error yet


def test_it_logs_in(tmp_path: Path) -> None:
    with running(tmp_path) as server, client(server) as valkey:
        valkey.execute_command("ACL", "SETUSER", "ebb", "on", ">secret", "~*", "+@all")
        valkey.config_set("requirepass", "other")
        for username, password in (("ebb", "secret"), (None, "other")):
            tier = ValkeyFeatures("127.0.0.1", server.port, username=username, password=password, timeout=2.0)
            tier.put({"x": record(1)})
            assert tier.ask("x", "c").record == record(1)
            tier.close()
        with pytest.raises(Unavailable, match="does not answer"):
            ValkeyFeatures("127.0.0.1", server.port, timeout=2.0).ask("x", "c")
        with pytest.raises(Unavailable, match="does not answer") as wrong:
            ValkeyFeatures("127.0.0.1", server.port, timeout=2.0, password="wrong").ask("x", "c")
        assert "wrong" not in str(wrong.value)


def test_threads_never_get_each_others_answers(fast: ValkeyFeatures) -> None:
    crowd = {f"thread-{number}": record(number + 1, number) for number in range(8)}
    fast.put(crowd)
    start = threading.Barrier(8)

    def ask_on_and_on(who: str) -> bool:
        start.wait(5)
        return all(fast.ask(who, who).record == crowd[who] for _ in range(200))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask_on_and_on, crowd))


def test_an_interrupted_question_never_answers_the_next_one(
    fast: ValkeyFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast.put({"ada": record(1, 1.0), "bea": record(2, 2.0)})

    def interrupted(_link: Link, _until: float) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Link, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fast.ask("ada", "c")
    assert fast.ask("bea", "c").record == record(2, 2.0)


def test_no_connection_is_left_open(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with running(tmp_path) as server:
        before = descriptors()
        tier = ValkeyFeatures("127.0.0.1", server.port, replica_port=server.port, timeout=2.0)
        tier.warm()
        tier.put({"x": FeatureRecord({}, {}, 1, "", 1.0)})
        tier.ask("x", "c")
        tier.close()
        assert descriptors() == before
        assert tier.ask("x", "c").record is not None
        tier.close()
        assert descriptors() == before
