"""Clients' plans: what a team may write, what is refused with a sentence, and what is left of an allowance."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from ebb.plans import DEFAULT_PLAN, Allowance, Plan, Plans

WHOLE = {
    "default": {"rate": 50, "burst": 100, "daily": 1_000_000},
    "plans": {"small": {"rate": 2.5, "burst": 5, "daily": 1_000}, "large": {"rate": 100}},
    "clients": {"acme": "small", "zenith": "large"},
}


def test_each_client_has_its_plan_and_all_others_the_default() -> None:
    plans = Plans.parse(json.dumps(WHOLE))
    assert plans.of("acme") == Plan(2.5, 5.0, 1_000)
    assert plans.of("zenith") == Plan(100.0, 200.0, None)
    assert plans.of("anybody") == plans.default == Plan(50.0, 100.0, 1_000_000)


@pytest.mark.parametrize("text", ["", "  \n", "{}", '{"default": null}'])
def test_who_says_nothing_gets_5000_a_second_and_no_quota(text: str) -> None:
    assert Plans.parse(text).of("anybody") == DEFAULT_PLAN == Plan(5_000.0, 10_000.0, None)
    assert Plans.parse(text, Plan(1.0, 2.0)).of("anybody") == Plan(1.0, 2.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "EBB_PLANS is no JSON"),
        ("[]", "EBB_PLANS must be an object"),
        ('{"defualt": {}}', "EBB_PLANS has the unknown key `defualt`; there may be clients, default, plans"),
        ('{"plans": []}', None),
        ('{"plans": [1]}', "`plans` must be an object"),
        ('{"clients": "acme"}', "`clients` must be an object"),
        ('{"default": 5}', "default must be an object"),
        ('{"default": {}}', "default.rate must be a number"),
        ('{"default": {"rate": true}}', "default.rate must be a number"),
        ('{"default": {"rate": "5"}}', "default.rate must be a number"),
        ('{"default": {"rate": 0}}', "default.rate must be above 0"),
        ('{"default": {"rate": -1}}', "default.rate must be above 0"),
        ('{"default": {"rate": 2e6}}', "at most 1,000,000"),
        ('{"default": {"rate": NaN}}', "default.rate must be a number"),
        ('{"plans": {"s": {"rate": 1, "burst": -1}}}', "plans.s.burst must not be negative"),
        ('{"plans": {"s": {"rate": 1, "burst": Infinity}}}', "plans.s.burst must be a number"),
        ('{"plans": {"s": {"rate": 1, "daily": 0}}}', "plans.s.daily must be a whole number"),
        ('{"plans": {"s": {"rate": 1, "daily": 1.5}}}', "plans.s.daily must be a whole number"),
        ('{"plans": {"s": {"rate": 1, "daily": true}}}', "plans.s.daily must be a whole number"),
        ('{"plans": {"s": {"rate": 1, "quota": 5}}}', "plans.s has the unknown key `quota`"),
        ('{"clients": {"acme": "small"}}', "clients.acme must be the name of one of the `plans`"),
        ('{"clients": {"acme": ["small"]}}', "clients.acme must be the name"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(text: str, sentence: str | None) -> None:
    if sentence is None:
        assert Plans.parse(text).default == DEFAULT_PLAN
        return
    with pytest.raises(Misuse) as refused:
        Plans.parse(text)
    assert sentence in str(refused.value)


@given(st.text(max_size=30) | st.recursive(st.none() | st.integers() | st.text(max_size=3), st.lists).map(json.dumps))
def test_any_text_is_plans_or_a_sentence(text: str) -> None:
    try:
        assert isinstance(Plans.parse(text), Plans)
    except Misuse as error:
        assert str(error).startswith("EBB_PLANS")


@given(st.floats(0.01, 1e6), st.integers(0, 10_000), st.integers(0, 20_000))
def test_what_remains_is_the_burst_and_one_less_what_is_owed(rate: float, burst: int, owed: int) -> None:
    plan = Plan(rate, burst)
    allowance = plan.admitted(owed * plan.step)
    assert allowance.remaining == max(0, burst + 1 - owed)
    assert allowance.reset == pytest.approx(owed / rate)
    assert (allowance.wait, allowance.refused, allowance.quota_left) == (0.0, "", None)


@given(st.floats(0.01, 1e6), st.integers(0, 10_000), st.floats(0, 1e-5))
def test_a_refusal_always_has_a_wait(rate: float, burst: int, above: float) -> None:
    plan = Plan(rate, burst)
    refused = plan.refused_by_rate(plan.tolerance + above)
    assert refused.wait >= 1e-6
    assert (refused.remaining, refused.refused) == (0, "rate")


def test_an_error_has_all_that_a_header_needs() -> None:
    plan = Plan(2.0, 4.0, 100)
    by_rate = plan.refusal(plan.refused_by_rate(3.0, 40))
    assert (by_rate.wait, by_rate.limit, by_rate.remaining, by_rate.reset) == (1.0, "rate", 0, 3.0)
    assert (by_rate.rate, by_rate.burst, by_rate.daily, by_rate.quota_left) == (2.0, 4.0, 100, 40)
    assert str(by_rate) == "this client asks too often: ask again in 1.000 s"
    by_quota = plan.refusal(plan.refused_by_quota(0.5, 0, 3_600.0))
    assert (by_quota.wait, by_quota.limit, by_quota.remaining, by_quota.reset) == (3_600.0, "quota", 4, 3_600.0)
    assert str(by_quota) == "this client has used its quota of today: ask again in 3600.000 s"


def test_an_allowance_is_cheap_to_pass_on() -> None:
    assert tuple(Allowance(0.0, 5, 1.0)) == (0.0, 5, 1.0, None, "")
