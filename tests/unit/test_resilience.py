"""Breakers, budgets, limits and hedge delays, on a clock that the test moves."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebb.plans import Plan, Plans
from ebb.resilience.breaker import Breaker, State
from ebb.resilience.budget import RateBudget, ShareBudget
from ebb.resilience.hedge_delay import HedgeDelay
from ebb.resilience.rate_limit import RateLimiter
from tests.fakes.naive_limit import NaiveLimit


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Noted:
    """Signals that are kept."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.gauges: dict[str, float] = {}

    def count(self, name: str, by: float = 1) -> None:
        self.counts[name] += int(by)

    def gauge(self, name: str, value: float) -> None:
        self.gauges[name] = value

    def observe(self, name: str, value: float) -> None:
        del name, value


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def breaker(clock: Clock, noted: Noted) -> Breaker:
    return Breaker("server", noted, clock=clock)


def _open(breaker: Breaker) -> None:
    for _ in range(3):
        assert breaker.allows()
        breaker.failed(timeout=True)
    assert breaker.state is State.OPEN


def test_one_timeout_on_a_healthy_busy_server_never_opens_it(breaker: Breaker) -> None:
    for _ in range(200):
        for _ in range(30):
            breaker.succeeded()
        breaker.failed(timeout=True)
        assert breaker.state is State.CLOSED


def test_a_timeout_before_anything_else_does_not_open_it(breaker: Breaker) -> None:
    breaker.failed(timeout=True)
    breaker.failed(timeout=True)
    assert breaker.state is State.CLOSED
    breaker.succeeded()
    breaker.failed(timeout=True)
    breaker.failed(timeout=True)
    assert breaker.state is State.CLOSED


def test_three_timeouts_in_a_row_open_it(breaker: Breaker, noted: Noted) -> None:
    _open(breaker)
    assert not breaker.allows()
    assert noted.counts == {"breaker_server_open": 1}
    assert noted.gauges == {"breaker_server": State.OPEN}


def test_a_refusal_between_timeouts_breaks_their_row(breaker: Breaker) -> None:
    for timeout in (True, True, False, True, True):
        breaker.failed(timeout=timeout)
    assert breaker.state is State.CLOSED


def test_half_of_the_last_twenty_open_it(breaker: Breaker) -> None:
    for turn in range(19):
        (breaker.succeeded if turn % 2 == 0 else lambda: breaker.failed(timeout=False))()
        assert breaker.state is State.CLOSED
    breaker.failed(timeout=False)
    assert breaker.state is State.OPEN


def test_a_little_less_than_half_never_opens_it(breaker: Breaker) -> None:
    for _ in range(50):
        for failed in (True, False, True, False, True, False, True, False, False, False):
            if failed:
                breaker.failed(timeout=False)
            else:
                breaker.succeeded()
            assert breaker.state is State.CLOSED


def test_old_failures_are_forgotten(breaker: Breaker) -> None:
    for _ in range(9):
        breaker.failed(timeout=False)
    for _ in range(20):
        breaker.succeeded()
    for _ in range(9):
        breaker.failed(timeout=False)
        assert breaker.state is State.CLOSED
    breaker.failed(timeout=False)
    assert breaker.state is State.OPEN


def test_open_it_lets_one_call_an_interval_through(breaker: Breaker, clock: Clock, noted: Noted) -> None:
    _open(breaker)
    for _ in range(5):
        clock.now += 0.999
        assert not breaker.allows()
        clock.now += 0.002
        assert breaker.allows()
        assert noted.gauges == {"breaker_server": State.HALF_OPEN}
        assert not breaker.allows()
        breaker.failed(timeout=False)
        assert noted.gauges == {"breaker_server": State.OPEN}
    assert noted.counts["breaker_server_half_open"] == 5


def test_a_try_whose_outcome_is_never_told_is_followed_by_another(breaker: Breaker, clock: Clock) -> None:
    _open(breaker)
    for _ in range(3):
        clock.now += 1.0
        assert breaker.allows()
        assert not breaker.allows()


def test_a_success_closes_it_and_the_past_is_forgotten(breaker: Breaker, clock: Clock, noted: Noted) -> None:
    _open(breaker)
    clock.now += 1.0
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.state is State.CLOSED
    assert noted.gauges == {"breaker_server": State.CLOSED}
    breaker.failed(timeout=True)
    breaker.failed(timeout=True)
    assert breaker.allows()
    assert breaker.state is State.CLOSED


class BreakerModel(RuleBasedStateMachine):
    """The breaker beside its own words, remembered in the plainest way."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.noted = Clock(), Noted()
        self.breaker = Breaker("b", self.noted, clock=self.clock)
        self.past: list[str] = []
        self.asked: list[float] = []

    # Eighths of seconds: their sums are exact, as an interval's end must be.
    @rule(seconds=st.sampled_from([0.0, 0.125, 0.5, 1.0, 3.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(outcome=st.sampled_from(["well", "well", "timeout", "timeout", "refused", "never told"]))
    def ask(self, outcome: str) -> None:
        closed = self.breaker.state is State.CLOSED
        if not self.breaker.allows():
            assert not closed
            return
        if not closed:
            self.asked.append(self.clock.now)
        if outcome == "well":
            self.breaker.succeeded()
        elif outcome != "never told":
            self.breaker.failed(timeout=outcome == "timeout")
        self._remember(outcome, closed=closed)

    def _remember(self, outcome: str, *, closed: bool) -> None:
        if outcome == "never told":
            return
        if not closed and outcome == "well":
            self.past = []
            assert self.breaker.state is State.CLOSED
            return
        self.past.append(outcome)
        last = self.past[-20:]
        failed = sum(entry != "well" for entry in last)
        opens = not closed or last[-3:] == ["timeout"] * 3 or (len(last) == 20 and failed >= 10)
        if outcome != "well":
            assert (self.breaker.state is State.OPEN) == opens

    @invariant()
    def tries_are_an_interval_apart(self) -> None:
        assert all(b - a >= 1.0 for a, b in zip(self.asked, self.asked[1:], strict=False))

    @invariant()
    def the_state_is_stated(self) -> None:
        assert self.noted.gauges.get("breaker_b", State.CLOSED) == self.breaker.state

    @precondition(lambda self: self.breaker.state is not State.CLOSED)
    @rule()
    def after_an_interval_one_may_try(self) -> None:
        self.clock.now += 1.0
        assert self.breaker.allows()
        self.asked.append(self.clock.now)


TestBreakerModel = BreakerModel.TestCase


@given(st.lists(st.floats(0, 2), min_size=1, max_size=200), st.floats(0.5, 50), st.integers(1, 20))
def test_a_rate_budget_never_gives_more_than_its_rate_and_burst(
    pauses: list[float], per_second: float, burst: int
) -> None:
    clock = Clock()
    budget, began, taken = RateBudget(per_second, burst, clock), clock.now, 0
    for pause in pauses:
        clock.now += pause
        taken += budget.take()
        assert taken <= burst + (clock.now - began) * per_second + 1e-6


def test_a_rate_budget_comes_back_and_no_further_than_its_burst(clock: Clock) -> None:
    budget = RateBudget(10.0, 3.0, clock)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 0.1
    assert [budget.take() for _ in range(2)] == [True, False]
    clock.now += 1_000.0
    assert sum(budget.take() for _ in range(100)) == 3


@given(st.lists(st.booleans(), max_size=600), st.sampled_from([0.01, 0.05, 0.5]), st.integers(1, 10))
def test_a_share_budget_never_gives_more_than_its_share(wanted: list[bool], share: float, burst: int) -> None:
    budget, taken = ShareBudget(share, burst), 0
    for calls, wants in enumerate(wanted, 1):
        budget.called()
        taken += wants and budget.take()
        assert taken <= 1 + share * calls + 1e-6


def test_a_share_budget_is_given_in_full_when_it_is_always_wanted() -> None:
    budget, taken = ShareBudget(0.05, 5.0), 0
    for _ in range(10_000):
        budget.called()
        taken += budget.take()
    assert 495 <= taken <= 501


def test_a_share_budget_saves_no_more_than_its_burst() -> None:
    budget = ShareBudget(0.05, 5.0)
    for _ in range(10_000):
        budget.called()
    assert sum(budget.take() for _ in range(100)) == 5


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 0.5)), min_size=1, max_size=200),
    st.floats(1, 50),
    st.integers(0, 10),
)
def test_each_client_gets_its_rate_and_burst_and_never_more(
    asked: list[tuple[str, float]], per_second: float, burst: int
) -> None:
    clock = Clock()
    limiter, began, granted = RateLimiter(Plans(Plan(per_second, burst)), clock), clock.now, Counter[str]()
    for client, pause in asked:
        clock.now += pause
        wait = limiter.take(client).wait
        assert wait >= 0
        granted[client] += not wait
        assert granted[client] <= 1 + burst + (clock.now - began) * per_second + 1e-6


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3), st.integers(0, 40)), min_size=1, max_size=60),
    st.floats(0.5, 50),
    st.integers(0, 30),
)
def test_what_counts_for_several_is_paid_for_as_the_plainest_words_say(
    asked: list[tuple[str, float, int]], rate: float, burst: int
) -> None:
    clock, plan = Clock(), Plan(rate, burst)
    limiter, naive = RateLimiter(Plans(plan), clock), {name: NaiveLimit(plan) for name in "ab"}
    for client, pause, cost in asked:
        clock.now += pause
        owed = naive[client].owed(clock.now)
        if abs(owed - burst) < 1e-4:  # on the edge, rounding decides
            continue
        allowance = limiter.take(client, cost)
        assert (allowance.wait == 0) == naive[client].asks(clock.now, cost)
        assert allowance.reset * rate == pytest.approx(naive[client].owed(clock.now), abs=1e-5)
        if allowance.wait:
            assert allowance.wait * rate == pytest.approx(owed - burst, abs=1e-5)


def test_a_batch_above_the_burst_is_admitted_and_paid_for(clock: Clock) -> None:
    limiter = RateLimiter(Plans(Plan(10.0, 20)), clock)
    first = limiter.take("c", 1_000)
    assert (first.wait, first.remaining) == (0.0, 0)
    assert first.reset == pytest.approx(100.0)
    refused = limiter.take("c", 1)
    assert refused.wait == pytest.approx(98.0)
    assert refused.refused == "rate"
    clock.now += 98.0
    assert limiter.take("c", 500).wait == 0


def test_each_client_is_measured_by_its_own_plan(clock: Clock) -> None:
    limiter = RateLimiter(Plans(Plan(1.0, 0), {"large": Plan(1.0, 50)}), clock)
    assert [limiter.take("large").remaining for _ in range(3)] == [50, 49, 48]
    assert limiter.take("small").remaining == 0
    assert limiter.take("small").wait == pytest.approx(1.0)


@given(st.floats(0.5, 100), st.integers(0, 20))
def test_who_waits_as_told_may_ask(per_second: float, burst: int) -> None:
    clock = Clock()
    limiter = RateLimiter(Plans(Plan(per_second, burst)), clock)
    for _ in range(burst + 30):
        wait = limiter.take("c").wait
        if wait:
            clock.now += wait + 1e-6
            assert limiter.take("c").wait == 0


def test_a_refused_request_costs_nothing(clock: Clock) -> None:
    limiter = RateLimiter(Plans(Plan(10.0, 2)), clock)
    assert [limiter.take("c").wait for _ in range(3)] == [0, 0, 0]
    waits = [limiter.take("c").wait for _ in range(50)]
    assert waits == pytest.approx([0.1] * 50)


def test_one_client_never_slows_another(clock: Clock) -> None:
    limiter = RateLimiter(Plans(Plan(1.0, 0)), clock)
    assert limiter.take("greedy").wait == 0
    assert limiter.take("greedy").wait > 0
    assert limiter.take("modest").wait == 0


def test_only_so_many_clients_are_remembered_and_the_busy_one_stays(clock: Clock) -> None:
    limiter = RateLimiter(Plans(Plan(1.0, 100)), clock)
    for number in range(20_000):
        clock.now += 0.001
        limiter.take(f"c{number}")
        limiter.take("busy")
    assert len(limiter._arrivals) == 4_096
    assert limiter.take("busy").wait > 0


def test_the_delay_is_the_recent_95th_percentile_within_its_bounds() -> None:
    delay = HedgeDelay()
    assert delay.seconds == 0.002
    for _ in range(512):
        delay.note(0.0002)
    assert delay.seconds == 0.002
    for number in range(512):
        delay.note(0.005 if number % 10 == 0 else 0.001)
    assert delay.seconds == 0.005
    for _ in range(512):
        delay.note(0.1)
    assert delay.seconds == 0.008
    for _ in range(512):
        delay.note(0.001)
    assert delay.seconds == 0.002


@given(st.lists(st.floats(0, 1), min_size=64, max_size=1_000), st.randoms(use_true_random=False))
def test_the_delay_always_keeps_its_bounds_and_is_a_value_that_was_seen(
    taken: list[float], chance: random.Random
) -> None:
    delay = HedgeDelay(floor=0.1, cap=0.5)
    chance.shuffle(taken)
    for seconds in taken:
        delay.note(seconds)
        assert 0.1 <= delay.seconds <= 0.5
        assert delay.seconds in {0.1, 0.5, *taken}
