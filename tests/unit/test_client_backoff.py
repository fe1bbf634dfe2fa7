"""The retry schedule, its budget and an endpoint's standing, for all policies and draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.client.backoff import FullBudget, pause
from ebb.client.policy import Policy
from ebb.client.standing import FAILURES, REST_SECONDS, Standing
from ebb.errors import Misuse

SECONDS = st.floats(0, 100, allow_nan=False)
DRAW = st.floats(0, 1, exclude_max=True)


@given(base=SECONDS, more=SECONDS, retry=st.integers(0, 10_000), draw=DRAW)
def test_a_pause_lies_within_a_range_that_doubles_up_to_the_cap(
    base: float, more: float, retry: int, draw: float
) -> None:
    policy = Policy(backoff=base, backoff_cap=base + more)
    widest = min(base + more, base * 2.0 ** min(retry, 60))
    assert 0 <= pause(policy, retry, None, draw) <= widest or base < 1e-6
    assert pause(policy, retry, None, 0.0) == 0


@given(retry_after=SECONDS, retry=st.integers(0, 50), draw=DRAW)
def test_no_pause_is_shorter_than_the_server_asks_and_jitter_comes_on_top(
    retry_after: float, retry: int, draw: float
) -> None:
    policy = Policy()
    waits = pause(policy, retry, retry_after, draw)
    assert waits >= retry_after
    assert waits - retry_after <= policy.backoff_cap + 1e-9


@given(draws=st.lists(DRAW, min_size=2, max_size=20, unique=True))
def test_different_draws_spread_the_retries(draws: list[float]) -> None:
    pauses = [pause(Policy(), 10, 1.0, draw) for draw in sorted(draws)]
    assert pauses == sorted(pauses)
    assert max(pauses) - min(pauses) == pytest.approx(max(draws) - min(draws))


@given(
    share=st.floats(0, 1),
    burst=st.floats(1, 50),
    asks=st.lists(st.booleans(), max_size=500),
)
def test_retries_are_at_most_their_share_of_the_calls_and_the_burst(
    share: float, burst: float, asks: list[bool]
) -> None:
    budget = FullBudget(share, burst)
    calls = taken = 0
    for is_call in asks:
        if is_call:
            calls += 1
            budget.called()
        else:
            taken += budget.take()
        assert taken <= calls * share + burst + 1e-6


@given(burst=st.integers(1, 30), share=st.floats(0.01, 1))
def test_a_new_client_may_spend_its_burst_at_once(burst: int, share: float) -> None:
    budget = FullBudget(share, burst)
    assert [budget.take() for _ in range(burst + 1)] == [True] * burst + [False]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"deadline": 0}, "deadline"),
        ({"try_timeout": -1.0}, "try_timeout"),
        ({"retries": -1}, "retries"),
        ({"retry_share": 1.5}, "retry_share"),
        ({"hedge_share": -0.1}, "hedge_share"),
        ({"backoff": 2.0, "backoff_cap": 1.0}, "backoff"),
        ({"hedge_floor": 1.0}, "hedge_floor"),
    ],
)
def test_a_policy_that_could_only_fail_later_is_refused(values: dict[str, float], named: str) -> None:
    with pytest.raises(Misuse, match=named):
        Policy(**values)  # type: ignore[arg-type]


def test_an_endpoint_that_fails_in_a_row_rests_and_is_then_asked_once_an_interval() -> None:
    now = [100.0]
    standing = Standing(lambda: now[0])
    for _ in range(FAILURES):
        assert standing.fit
        standing.asked()
        standing.failed()
    assert not standing.fit
    now[0] += REST_SECONDS
    asked = []
    for _ in range(3):  # one is on its way, and others wait for what comes of it
        asked.append(standing.fit)
        standing.asked()
    assert asked == [True, False, False]
    standing.succeeded()
    assert standing.fit


def test_failures_that_are_not_in_a_row_do_not_add_up() -> None:
    standing = Standing(lambda: 0.0)
    for _ in range(10):
        standing.failed()
        standing.failed()
        standing.succeeded()
    assert standing.fit
