"""Callers' limits: the in-memory fake and the script in Valkey decide alike, and as the plainest words say."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import Unavailable
from ebb.plans import DAY, RATE, Plan, Plans
from ebb.ports import FastTier, FeatureRecord
from ebb.valkey.features import ValkeyFeatures
from local.servers.valkey import Valkey
from tests.fakes.fast import MemoryFast
from tests.fakes.naive_limit import NaiveLimit
from tests.fakes.stores import Clock
from tests.valkey_case import client, record

SLOW = Plan(rate=0.001, burst=20)
"""So slow that what a test takes pays for nothing: one request costs a thousand seconds."""


@dataclass(frozen=True)
class Limited:
    """Tiers that count together, and a way to let their time pass.

    Attributes:
        make: makes a tier with such plans.
        wait: lets so many seconds pass for these clients.
        seconds_of_day: what the tier's clock says.
    """

    make: Callable[[Plans], FastTier]
    wait: Callable[[Iterable[str], float], None]
    seconds_of_day: Callable[[], float]

    def one(self, plan: Plan) -> FastTier:
        return self.make(Plans(plan))


def _pay(server: Valkey, names: Iterable[str], seconds: float) -> None:
    """Let clients have asked all they asked `seconds` earlier: the server's own clock cannot be moved."""
    with client(server) as valkey:
        for name in names:
            held = valkey.get(f"rl:{name}")
            if held is not None:
                due, cost = held.split()
                valkey.set(f"rl:{name}", b"%d %s" % (int(due) - round(seconds * 1e6), cost), keepttl=True)


@pytest.fixture(params=["memory", "valkey"])
def limited(request: pytest.FixtureRequest) -> Iterator[Limited]:
    if request.param == "memory":
        clock, made = Clock(), dict[int, MemoryFast]()

        def memory(plans: Plans) -> FastTier:
            """Return the one tier, whose plans are now these."""
            tier = made.setdefault(0, MemoryFast(plans=plans, clock=clock))
            assert tier._limiter is not None
            tier._limiter.plans = plans
            return tier

        def wait(_names: Iterable[str], seconds: float) -> None:
            clock.now += seconds

        yield Limited(memory, wait, lambda: clock.now % DAY)
        return
    server: Valkey = request.getfixturevalue("valkey_server")
    with ExitStack() as stack:

        def valkey(plans: Plans) -> FastTier:
            tier = ValkeyFeatures("127.0.0.1", server.port, timeout=2.0, plans=plans)
            stack.callback(tier.close)
            return tier

        yield Limited(valkey, lambda names, seconds: _pay(server, names, seconds), lambda: time.time() % DAY)


def _id() -> str:
    return f"c-{uuid4().hex}"


def test_as_many_as_remain_are_admitted_and_no_more(limited: Limited) -> None:
    tier, name = limited.one(SLOW), _id()
    told = [tier.admit(name, 1) for _ in range(21)]
    assert [allowance.remaining for allowance in told] == list(range(20, -1, -1))
    assert {allowance.wait for allowance in told} == {0.0}
    refused = tier.admit(name, 1)
    assert (refused.remaining, refused.refused) == (0, RATE)
    assert 990 < refused.wait <= 1_000
    assert 20_990 < refused.reset <= 21_000


def test_one_request_is_the_same_however_it_is_asked(limited: Limited) -> None:
    tier, name = limited.one(SLOW), _id()
    for answer in (tier.ask("x", name), tier.ask_many(["x"], name)):
        assert answer.allowance is not None
    assert tier.admit(name, 1).remaining == 18


def test_a_batch_counts_as_many_requests_as_it_has_entities(limited: Limited) -> None:
    tier, name = limited.one(SLOW), _id()
    first = tier.ask_many(["a", "b", "c", "a", "a"], name).allowance
    assert first is not None
    assert (first.wait, first.remaining) == (0.0, 16)


def test_a_batch_above_the_burst_is_admitted_once_and_paid_for_in_full(limited: Limited) -> None:
    tier, name = limited.one(SLOW), _id()
    assert tier.admit(name, 1_000).wait == 0.0
    refused = tier.admit(name, 1)
    assert 979_900 < refused.wait <= 980_000
    limited.wait([name], 979_000)
    assert tier.admit(name, 1).wait > 0
    limited.wait([name], 1_001)
    assert tier.admit(name, 1).wait == 0.0


def test_what_is_refused_costs_nothing(limited: Limited) -> None:
    tier, name = limited.one(Plan(0.001, 0, daily=100)), _id()
    assert tier.admit(name, 1).quota_left == 99
    waits = [tier.admit(name, 50) for _ in range(5)]
    assert all(allowance.wait > 990 and allowance.quota_left == 99 for allowance in waits)


def test_asking_what_is_left_costs_nothing(limited: Limited) -> None:
    tier, name = limited.one(Plan(0.001, 5, daily=10)), _id()
    assert [tier.admit(name, 0)[1:] for _ in range(3)] == [(6, 0.0, 10, "")] * 3


def test_no_client_starves_another_however_much_it_asks(limited: Limited) -> None:
    tier, greedy, modest = limited.one(SLOW), _id(), _id()
    for _ in range(50):
        tier.ask_many([str(number) for number in range(100)], greedy)
    assert tier.ask_many(["a", "b"], modest).allowance == tier.ask_many(["a", "b"], _id()).allowance
    assert tier.admit(modest, 1).remaining == 18


def test_each_client_is_measured_by_its_own_plan(limited: Limited) -> None:
    small, large = _id(), _id()
    tier = limited.make(Plans(Plan(0.001, 1), {large: Plan(0.001, 100)}))
    assert (tier.admit(small, 1).remaining, tier.admit(large, 1).remaining) == (1, 100)


def test_a_changed_plan_holds_at_once_and_no_old_debt_is_longer_than_it(limited: Limited) -> None:
    name = _id()
    slow = limited.one(Plan(0.001, 100))
    for _ in range(100):
        assert slow.admit(name, 1).wait == 0.0
    fast = limited.one(Plan(1_000.0, 10))
    limited.wait([name], 101_000)
    assert fast.admit(name, 1).wait == 0.0
    assert limited.one(Plan(0.001, 0)).admit(name, 1).wait <= 1_000


def test_a_quota_of_a_day_ends_at_midnight(limited: Limited) -> None:
    tier, name = limited.one(Plan(1_000.0, 1_000, daily=10)), _id()
    assert [tier.admit(name, 4).quota_left for _ in range(2)] == [6, 2]
    refused = tier.admit(name, 3)
    to_midnight = DAY - limited.seconds_of_day()
    assert (refused.refused, refused.quota_left) == ("quota", 2)
    assert refused.wait == pytest.approx(to_midnight, abs=5)
    assert refused.reset == refused.wait
    assert tier.admit(name, 2).quota_left == 0
    answer = tier.ask("x", name).allowance
    assert answer is not None
    assert (answer.refused, answer.quota_left) == ("quota", 0)


def test_a_batch_above_the_quota_is_refused_as_a_whole(limited: Limited) -> None:
    tier, name = limited.one(Plan(1_000.0, 1_000, daily=5)), _id()
    refused = tier.ask_many(list("abcdef"), name).allowance
    assert refused is not None
    assert (refused.refused, refused.quota_left) == ("quota", 5)
    admitted = tier.ask_many(list("abcde"), name).allowance
    assert admitted is not None
    assert (admitted.wait, admitted.quota_left) == (0.0, 0)


def test_who_has_no_quota_is_told_of_none(limited: Limited) -> None:
    assert limited.one(SLOW).admit(_id(), 5).quota_left is None


asked = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 40), st.sampled_from(["ask", "many", "admit"])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked)
def test_every_decision_is_what_the_plainest_words_say(
    limited: Limited, steps: list[tuple[str, int, int, str]]
) -> None:
    """Pauses are whole requests' worth, and the real time of the test far less than half of one's."""
    tier, names = limited.one(SLOW), {letter: _id() for letter in "ab"}
    naive, now = {letter: NaiveLimit(SLOW) for letter in "ab"}, 0.0
    for letter, pause, cost, how in steps:
        name, counted = names[letter], max(cost, 1)
        limited.wait(names.values(), pause * 1_000.0)
        now += pause * 1_000.0
        if how == "ask":
            counted = 1
            decided = tier.ask("x", name).allowance
        elif how == "many":
            decided = tier.ask_many(["x"] * counted, name).allowance
        else:
            decided = tier.admit(name, counted)
        assert decided is not None
        assert (decided.wait == 0.0) == naive[letter].asks(now, counted)
        owed = naive[letter].owed(now)
        assert decided.reset == pytest.approx(owed / SLOW.rate, abs=30)
        if not decided.wait:
            assert decided.remaining == max(0, round(SLOW.burst + 1 - owed))


def test_the_days_count_is_a_key_of_the_day_that_lives_two(valkey_server: Valkey) -> None:
    tier, name = ValkeyFeatures("127.0.0.1", valkey_server.port, plans=Plans(Plan(1e3, 1e3, daily=50))), _id()
    tier.admit(name, 7)
    with client(valkey_server) as valkey:
        today = int(valkey.time()[0] // DAY)
        assert valkey.get(f"quota:{name}:{today}") == b"7"
        assert 86_400 < valkey.ttl(f"quota:{name}:{today}") <= 2 * 86_400
        # As though this were counted yesterday: then today nothing is.
        valkey.rename(f"quota:{name}:{today}", f"quota:{name}:{today - 1}")
        assert tier.admit(name, 1).quota_left == 49
    tier.close()


def test_nothing_is_kept_of_a_client_without_a_quota_but_its_rate(valkey_server: Valkey) -> None:
    tier, name = ValkeyFeatures("127.0.0.1", valkey_server.port, plans=Plans(Plan(1.0, 1e3))), _id()
    tier.admit(name, 7)
    tier.close()
    with client(valkey_server) as valkey:
        assert list(valkey.scan_iter(f"*{name}*")) == [f"rl:{name}".encode()]


def test_a_limit_of_another_kind_decides_nothing_and_hides_no_record(valkey_server: Valkey) -> None:
    tier, name, who = ValkeyFeatures("127.0.0.1", valkey_server.port, plans=Plans(SLOW)), _id(), _id()
    tier.put({who: record(1)})
    with client(valkey_server) as valkey:
        valkey.rpush(f"rl:{name}", "junk")
    assert (tier.ask(who, name).record, tier.ask(who, name).allowance) == (record(1), None)
    assert (tier.ask_many([who], name).records, tier.ask_many([who], name).allowance) == ([record(1)], None)
    with pytest.raises(Unavailable, match="something else"):
        tier.admit(name, 1)
    tier.close()


def test_junk_in_a_limits_place_is_no_debt(valkey_server: Valkey) -> None:
    tier, name = ValkeyFeatures("127.0.0.1", valkey_server.port, plans=Plans(SLOW)), _id()
    with client(valkey_server) as valkey:
        valkey.set(f"rl:{name}", "junk")
    assert tier.admit(name, 1).remaining == 20
    tier.close()


def test_a_clock_that_lags_leaves_no_more_debt_than_the_last_batch(valkey_server: Valkey) -> None:
    tier, name = ValkeyFeatures("127.0.0.1", valkey_server.port, plans=Plans(Plan(10.0, 5))), _id()
    with client(valkey_server) as valkey:
        valkey.set(f"rl:{name}", f"{(valkey.time()[0] + 3_600) * 1_000_000} 200")
    assert 19.9 < tier.admit(name, 1).wait <= 20
    tier.close()


def test_a_write_and_a_batch_are_one_round_trip(valkey_server: Valkey) -> None:
    tier, crowd = (
        ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0, plans=Plans(Plan(1e6, 1e6))),
        list("abcde"),
    )
    tier.ask_many(crowd, "c")
    with client(valkey_server) as valkey:
        before = valkey.info("commandstats"), valkey.info("stats")["total_connections_received"]
        for _ in range(10):
            tier.ask_many(crowd, "c")
            tier.admit("c", 3)
        after = valkey.info("commandstats"), valkey.info("stats")["total_connections_received"]
    calls = {name: after[0][name]["calls"] - before[0][name]["calls"] for name in ("cmdstat_evalsha", "cmdstat_mget")}
    assert calls == {"cmdstat_evalsha": 20, "cmdstat_mget": 10}
    assert before[1] == after[1]
    tier.close()


def test_scripts_that_the_server_forgot_cost_no_batch(valkey_server: Valkey) -> None:
    tier, who = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0, plans=Plans(SLOW)), _id()
    tier.put({who: record(1)})
    with client(valkey_server) as valkey:
        valkey.script_flush()
        found = tier.ask_many([who, "nobody"], who)
        assert (found.records, found.allowance and found.allowance.remaining) == ([record(1), None], 19)
        valkey.script_flush()
        assert tier.admit(who, 1).remaining == 18
    tier.close()


def test_a_thousand_long_names_are_read_in_one_question(valkey_server: Valkey) -> None:
    """More than fits into a connection's buffer at once."""
    tier = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=5.0)
    crowd = {f"{number:04}-{'n' * 251}": record(number + 1, float(number)) for number in range(1_000)}
    large = {
        f"large-{number}": FeatureRecord({"text": "x" * 20_000}, {"text": 1.5e9}, 1, "ab" * 16) for number in range(300)
    }
    tier.put({**crowd, **large})
    asked_for = [*crowd, "nobody", *large]
    found = tier.ask_many(asked_for, "c")
    assert found.records == [*crowd.values(), None, *large.values()]
    assert len(found.since_put) == len(asked_for)
    tier.close()


def test_a_newer_routing_version_is_announced_and_never_taken_back(valkey_server: Valkey) -> None:
    tier = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0)
    other = ValkeyFeatures("127.0.0.1", valkey_server.port, timeout=2.0)
    with client(valkey_server) as valkey:
        valkey.delete("routing:version")
        told, held = [], []
        for version in (3, 2, 10, 9):
            tier.announce_routing(version)
            held.append(valkey.get("routing:version"))
            told.append((other.ask("x", "c").routing, other.ask_many(["x"], "c").routing))
        assert told == [(3, 3), (3, 3), (10, 10), (10, 10)]
        # A reader forgets no higher version it saw, so only the server itself shows what a newcomer is told.
        assert held == [b"3", b"3", b"10", b"10"]
        for junk in ("junk", ""):
            valkey.set("routing:version", junk)
            tier.announce_routing(12)
            assert valkey.get("routing:version") == b"12"
        valkey.delete("routing:version")
        valkey.rpush("routing:version", "a")
        tier.announce_routing(13)
        assert valkey.get("routing:version") == b"13"
        valkey.delete("routing:version")
    for made in (tier, other):
        made.close()


def test_nobody_is_told_when_the_server_is_away() -> None:
    tier = ValkeyFeatures("127.0.0.1", 1, timeout=0.1)
    with pytest.raises(Unavailable, match="does not answer"):
        tier.announce_routing(1)
    with pytest.raises(Unavailable, match="does not answer"):
        tier.admit("c", 1)
    with pytest.raises(Unavailable, match="does not answer"):
        tier.ask_many(["x"], "c")
    tier.close()
