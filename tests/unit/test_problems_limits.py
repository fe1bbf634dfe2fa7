"""A client that asks too often is told its plan, what is left of it, and when to ask again."""

import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import RateLimited
from ebb.http.problems import problem
from ebb.plans import DAY, Allowance, Plan

POLICY = re.compile(r'"rate";q=\d+;w=\d+(, "quota";q=\d+;w=86400)?')
LEFT = re.compile(r'"rate";r=\d+(;t=\d+)?(, "quota";r=\d+(;t=\d+)?)?')


@pytest.mark.parametrize(
    ("plan", "allowance", "headers"),
    [
        (
            Plan(10, 20),
            Allowance(0.05, 0, 2.05, refused="rate"),
            {"retry-after": "1", "ratelimit-policy": '"rate";q=20;w=2', "ratelimit": '"rate";r=0;t=3'},
        ),
        (
            Plan(0.5, 10, 1_000),
            Allowance(2.0, 0, 22.0, 7, "rate"),
            {
                "retry-after": "2",
                "ratelimit-policy": '"rate";q=10;w=20, "quota";q=1000;w=86400',
                "ratelimit": '"rate";r=0;t=22, "quota";r=7',
            },
        ),
        (
            Plan(5_000, 0, 10),
            Allowance(3_600.0, 1, 3_600.0, 0, "quota"),
            {
                "retry-after": "3600",
                "ratelimit-policy": '"rate";q=5000;w=1, "quota";q=10;w=86400',
                "ratelimit": '"rate";r=1, "quota";r=0;t=3600',
            },
        ),
    ],
)
def test_the_headers_of_a_refusal(plan: Plan, allowance: Allowance, headers: dict[str, str]) -> None:
    answered = problem(plan.refusal(allowance), "c")
    assert answered.status == 429
    assert {name: answered.headers[name] for name in headers} == headers
    assert orjson.loads(answered.body)["type"] == "urn:ebb:problem:rate-limited"


def test_without_a_plan_only_the_wait_is_told() -> None:
    headers = problem(RateLimited(1.5), "c").headers
    assert headers["retry-after"] == "2"
    assert "ratelimit" not in headers


@given(
    st.floats(0.001, 1e6),
    st.floats(0, 1e6),
    st.none() | st.integers(1, 10**9),
    st.floats(1e-6, DAY),
    st.sampled_from(["rate", "quota"]),
)
def test_the_headers_are_structured_fields_whatever_the_plan(
    rate: float, burst: float, daily: int | None, wait: float, refused: str
) -> None:
    allowance = Allowance(wait, 0, wait, None if daily is None else 0, refused)
    headers = problem(Plan(rate, burst, daily).refusal(allowance), "c").headers
    assert POLICY.fullmatch(headers["ratelimit-policy"])
    assert LEFT.fullmatch(headers["ratelimit"])
    assert int(headers["retry-after"]) >= wait


def test_what_a_window_lets_through_is_about_the_rate() -> None:
    plan = Plan(7.5, 40)
    policy = problem(plan.refusal(Allowance(1.0, 0, 1.0, refused="rate")), "c").headers["ratelimit-policy"]
    quota, window = map(int, re.findall(r"\d+", policy))
    assert quota / window == pytest.approx(plan.rate, rel=0.05)
