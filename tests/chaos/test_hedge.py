"""Hedged reads on a real primary and a real replica: slow reads, frozen, killed and lagging servers."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from ebb.errors import Unavailable
from ebb.plans import Plan, Plans
from ebb.ports import FastAnswer
from ebb.resilience.breaker import Breaker, State
from ebb.resilience.budget import ShareBudget
from ebb.valkey.address import ValkeyAddress
from ebb.valkey.exchange import ask, overdue
from ebb.valkey.features import ValkeyFeatures
from ebb.valkey.questions import of_one_to_replica
from ebb.valkey.server import Server
from local.servers.valkey import Valkey
from tests.fakes.odd_server import unreachable
from tests.fakes.proxy import Proxy, proxy_to
from tests.fakes.stores import Counted
from tests.valkey_case import (
    INTERVAL,
    SLACK,
    answers,
    client,
    eventually,
    record,
    running,
    timed,
)

CROWD = 200
PLANS = Plans(Plan(1e6, 1e6))


@dataclass
class Pair:
    """A primary and its replica, each behind a proxy."""

    primary: Valkey
    replica: Valkey
    primary_road: Proxy
    replica_road: Proxy
    noted: Counted

    def fast(self, **options: float) -> ValkeyFeatures:
        return ValkeyFeatures(
            "127.0.0.1",
            self.primary_road.port,
            replica_port=self.replica_road.port,
            plans=PLANS,
            signals=self.noted,
            timeout=options.get("timeout", 0.010),
        )


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(running(tmp_path / "primary"))
        replica = stack.enter_context(running(tmp_path / "replica", replica_of=primary.port))
        roads = [stack.enter_context(proxy_to(server.port)) for server in (primary, replica)]
        made = Pair(primary, replica, roads[0], roads[1], Counted())
        filler = made.fast(timeout=2.0)
        filler.put({f"e{number}": record(number + 1, float(number)) for number in range(CROWD)})
        filler.close()
        with client(replica) as following:
            eventually(lambda: int(following.dbsize()) >= CROWD)
        yield made


def _right(answer: FastAnswer | None, number: int) -> bool:
    return answer is not None and answer.record == record(number + 1, float(number))


def _ask_all(fast: ValkeyFeatures, count: int) -> tuple[list[float], list[FastAnswer | None]]:
    """Ask for one entity after the other; every answer that comes must be the entity's own."""
    times, told = [], []
    for turn in range(count):
        seconds, answer = timed(fast, f"e{turn % CROWD}")
        assert answer is None or _right(answer, turn % CROWD)
        times.append(seconds)
        told.append(answer)
    return times, told


def _settled(fast: ValkeyFeatures) -> None:
    eventually(lambda: all((found := answers(fast, "e0")) is not None and not found.hedged for _ in range(20)))


def test_a_quick_primary_is_never_hedged(pair: Pair) -> None:
    fast = pair.fast(timeout=1.0)
    _settled(fast)
    pair.noted.counts.clear()
    times, told = _ask_all(fast, 1_000)
    assert all(answer is not None for answer in told)
    # Only the machine's own pauses are.
    quickest = min((s for s, answer in zip(times, told, strict=True) if answer and answer.hedged), default=1.0)
    assert quickest >= 0.002
    assert pair.noted.counts["hedge_sent"] <= sum(seconds >= 0.002 for seconds in times)


def test_slow_reads_are_answered_by_the_replica_within_the_budget(pair: Pair) -> None:
    fast = pair.fast()
    _settled(fast)
    pair.primary_road.delay(0.02)
    pair.noted.counts.clear()
    times, told = _ask_all(fast, 4_000)
    pair.primary_road.delay(0.0)
    assert sum(answer is None for answer in told) <= 40
    hedged = [answer for answer in told if answer is not None and answer.hedged]
    assert 30 <= len(hedged) <= 260
    assert {answer.allowance for answer in hedged} == {None}
    assert pair.noted.counts["hedge_sent"] <= 0.05 * len(told) + 6
    assert sorted(times)[int(len(times) * 0.99)] < 0.010 + 0.010
    # What lost came back as a spare, or was closed: nothing piles up.
    with client(pair.primary) as primary:
        assert len(primary.client_list()) <= 2 + 4 + 16
        eventually(lambda: answers(fast) is not None and len(primary.client_list()) <= 2 + 4, seconds=1.0)


def test_when_every_read_is_slow_the_budget_still_holds(pair: Pair) -> None:
    fast = pair.fast(timeout=0.1)
    _settled(fast)
    pair.noted.counts.clear()
    pair.primary_road.delay(0.4, 0.020)  # inside of this timeout: the primary is well, only slow
    _, told = _ask_all(fast, 500)
    assert all(answer is not None for answer in told)
    assert pair.noted.gauges.get("breaker_valkey", 0) == 0
    assert 15 <= pair.noted.counts["hedge_sent"] <= 0.05 * 500 + 6
    assert pair.noted.counts["hedge_denied"] > 100


def test_a_primary_that_is_always_a_little_slow_is_learned_and_not_given_up(pair: Pair) -> None:
    fast = pair.fast()
    pair.primary_road.delay(1.0, 0.004)
    eventually(lambda: pair.noted.gauges.get("breaker_valkey", 0) == 0 and not _hedged_share(fast), seconds=20)
    assert 0.003 < fast._asking._one.delay.seconds <= 0.008


def _hedged_share(fast: ValkeyFeatures) -> bool:
    """Tell whether more than a tenth of a hundred reads is hedged."""
    _, told = _ask_all(fast, 100)
    return sum(answer is None or answer.hedged for answer in told) > 10


@pytest.mark.parametrize("away", ["frozen", "killed", "swallowed"])
def test_no_read_fails_while_the_primary_is_away(pair: Pair, away: str, tmp_path: Path) -> None:
    fast = pair.fast()
    _settled(fast)
    gone: dict[str, Callable[[], object]] = {
        "frozen": lambda: pair.primary.id.send(signal.SIGSTOP),
        "killed": lambda: pair.primary.id.send(signal.SIGKILL),
        "swallowed": lambda: pair.primary_road.swallow(on=True),
    }
    gone[away]()
    times, told, ends = [], [], time.monotonic() + 2.5 * INTERVAL
    while time.monotonic() < ends:
        seconds, answer = timed(fast, "e7")
        times.append(seconds)
        told.append(answer)
        time.sleep(0.001)
    assert sum(not _right(answer, 7) for answer in told) <= len(told) // 100  # a busy machine's own pauses
    assert sum(answer is not None and answer.hedged for answer in told) > 0.9 * len(told)
    assert sorted(times)[int(len(times) * 0.99)] < 0.010 + 0.010
    assert sum(seconds > 0.006 for seconds in times) <= len(times) // 20
    assert pair.noted.counts["breaker_valkey_half_open"] in {2, 3, 4}
    with ExitStack() as stack:
        if away == "frozen":
            pair.primary.id.send(signal.SIGCONT)
        elif away == "swallowed":
            pair.primary_road.swallow(on=False)
        else:
            stack.enter_context(running(tmp_path / "again", pair.primary.port))
        back = eventually(lambda: (found := answers(fast, "e7")) is not None and not found.hedged)
        assert back < INTERVAL + SLACK


def test_finding_out_whether_the_primary_is_back_fails_no_read_though_no_token_is_left(pair: Pair) -> None:
    fast = pair.fast(timeout=0.1)
    _settled(fast)
    pair.primary.id.send(signal.SIGSTOP)
    eventually(lambda: answers(fast, "e7") is not None and pair.noted.gauges.get("breaker_valkey") == 2)
    fast._asking._one._budget = ShareBudget(0.0, 0.0)
    assert fast._asking._one._budget.take()
    pair.noted.counts.clear()
    while pair.noted.counts["breaker_valkey_half_open"] < 2:
        seconds, answer = timed(fast, "e7")
        assert _right(answer, 7)
        assert answer is not None
        assert answer.hedged
        assert seconds < 0.1
        time.sleep(0.001)
    pair.primary.id.send(signal.SIGCONT)


def test_a_host_that_is_gone_delays_nobody_beyond_the_hedge(pair: Pair) -> None:
    with unreachable() as port:
        fast = ValkeyFeatures("127.0.0.1", port, replica_port=pair.replica.port, signals=pair.noted)
        times, told, ends = [], [], time.monotonic() + 1.5 * INTERVAL
        while time.monotonic() < ends:
            seconds, answer = timed(fast, "e7")
            times.append(seconds)
            told.append(answer)
        assert sum(not _right(answer, 7) for answer in told) <= len(told) // 200
        assert sorted(times)[int(len(times) * 0.99)] < 0.010 + 0.010
        assert pair.noted.gauges["breaker_valkey"] == 2


def test_a_lost_replica_is_no_trouble_and_is_used_again_when_it_is_back(pair: Pair, tmp_path: Path) -> None:
    fast = pair.fast(timeout=0.5)
    _settled(fast)
    pair.replica.id.send(signal.SIGKILL)
    pair.primary_road.delay(0.1, 0.02)
    _, told = _ask_all(fast, 300)
    assert all(answer is not None and not answer.hedged and answer.allowance is not None for answer in told)
    with running(tmp_path / "again", pair.replica.port, replica_of=pair.primary.port):
        eventually(lambda: (found := answers(fast, "e7")) is not None and found.hedged and _right(found, 7))


def _all_right(fast: ValkeyFeatures) -> tuple[float, bool]:
    """Read everybody in one question; return seconds, and whether the replica answered."""
    began = time.perf_counter()
    found = fast.ask_many([f"e{number}" for number in range(CROWD)], "c")
    seconds = time.perf_counter() - began
    assert found.records == [record(number + 1, float(number)) for number in range(CROWD)]
    assert (found.allowance is None) == found.hedged
    return seconds, found.hedged


def test_a_slow_batch_is_answered_by_the_replica(pair: Pair) -> None:
    fast = pair.fast(timeout=2.0)
    _settled(fast)
    assert not all(hedged for _, hedged in (_all_right(fast) for _ in range(30)))
    pair.primary_road.delay(1.0, 0.5)
    pair.noted.counts.clear()
    seconds, hedged = _all_right(fast)
    assert hedged
    assert seconds < 0.4
    assert pair.noted.counts == {"hedge_sent": 1}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_no_batch_fails_while_the_primary_is_away_and_no_write_is_counted_by_a_replica(
    pair: Pair, how: signal.Signals
) -> None:
    fast = pair.fast(timeout=0.2)
    _settled(fast)
    for _ in range(80):  # what earns the tokens that a breaker needs to open
        _all_right(fast)
    pair.primary.id.send(how)
    for _ in range(20):
        assert _all_right(fast)[1]
    with pytest.raises(Unavailable, match="does not answer"):
        fast.admit("c", 1)


def test_a_frozen_replica_is_no_trouble(pair: Pair) -> None:
    fast = pair.fast(timeout=0.5)
    _settled(fast)
    pair.replica.id.send(signal.SIGSTOP)
    pair.primary_road.delay(0.1, 0.02)
    times, told = _ask_all(fast, 300)
    assert all(answer is not None and not answer.hedged for answer in told)
    assert max(times) < 0.45, "nobody waits for the replica, whose time-out is half a second"


def test_with_both_away_the_answer_is_no_and_comes_at_once(pair: Pair) -> None:
    fast = pair.fast()
    _settled(fast)
    pair.primary.id.send(signal.SIGSTOP)
    pair.replica.id.send(signal.SIGSTOP)
    gauges = pair.noted.gauges
    eventually(lambda: not answers(fast) and gauges.get("breaker_valkey") == gauges.get("breaker_valkey_replica") == 2)
    times, ends = [], time.monotonic() + 1.5 * INTERVAL
    while time.monotonic() < ends:
        seconds, answer = timed(fast)
        assert answer is None
        times.append(seconds)
        time.sleep(0.001)
    # The probes of both breakers, and the machine's own pauses.
    assert sum(seconds > 0.006 for seconds in times) <= 8 + len(times) // 50
    assert max(times) < 0.010 + 0.1
    pair.replica.id.send(signal.SIGCONT)
    assert eventually(lambda: answers(fast) is not None) < INTERVAL + SLACK
    pair.primary.id.send(signal.SIGCONT)
    assert eventually(lambda: (found := answers(fast)) is not None and not found.hedged) < INTERVAL + SLACK


def test_a_primary_that_refuses_is_stood_in_for_by_the_replica(pair: Pair) -> None:
    fast = pair.fast()
    _settled(fast)
    with client(pair.primary) as primary:
        primary.config_set("maxmemory-policy", "noeviction")
        primary.config_set("maxmemory", 1)
        _, told = _ask_all(fast, 100)
        primary.config_set("maxmemory", 0)
    assert sum(answer is None for answer in told) <= 2
    assert sum(answer is not None and answer.hedged for answer in told) >= 97


def test_the_highest_routing_version_seen_applies_when_the_replica_lags(pair: Pair) -> None:
    fast = pair.fast()
    with client(pair.primary) as primary, client(pair.replica) as replica:
        primary.set("routing:version", 7)
        eventually(lambda: (found := answers(fast)) is not None and found.routing == 7)
        pair.replica.promote()  # it follows no more
        replica.set("routing:version", 3)
    pair.primary.id.send(signal.SIGKILL)
    eventually(lambda: (found := answers(fast)) is not None and found.hedged)
    assert fast.ask("e1", "c").routing == 7


def test_a_promoted_replica_takes_reads_and_writes(pair: Pair) -> None:
    pair.primary.id.send(signal.SIGKILL)
    pair.replica.promote()
    fast = ValkeyFeatures("127.0.0.1", pair.replica.port, plans=PLANS)
    assert _right(fast.ask("e3", "c"), 3)
    fast.put({"e3": record(100, 3.5)})
    assert fast.ask("e3", "c").record == record(100, 3.5)
    with pytest.raises(Unavailable):
        pair.fast().put({"e3": record(101)})


@pytest.mark.parametrize(("timeout", "state"), [(5.0, State.CLOSED), (0.0, State.OPEN)], ids=["in time", "too late"])
def test_who_loses_races_is_well_where_the_answers_come_in_time_after_all(
    pair: Pair, timeout: float, state: State
) -> None:
    breaker = Breaker("primary", pair.noted)
    server = Server(ValkeyAddress("127.0.0.1", pair.primary.port), breaker, timeout)
    question = of_one_to_replica("e1")
    for _ in range(4):
        if not breaker.allows():
            break
        link = ask(server, question, time.monotonic() + 5)
        assert overdue(server, link).timeout
        eventually(link.stirs)
        server.drain()
    assert breaker.state is state
    server.close()


def test_a_lost_race_leaves_its_answer_to_nobody(pair: Pair) -> None:
    """Read slowly and at random, every entity still gets its own answer."""
    fast = pair.fast()
    _settled(fast)
    pair.primary_road.delay(0.2, 0.012)
    pair.replica_road.delay(0.2, 0.006)
    _ask_all(fast, 1_500)
