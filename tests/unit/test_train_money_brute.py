"""Profit, best thresholds and expected maximum profit against brute force and numerical integration."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import beta
from threadpoolctl import threadpool_limits

from ebb.contract import Decision
from ebb.decision import threshold
from training.evaluation.emp import CONCENTRATION, expected_maximum, sampled_maximum, success_beta
from training.evaluation.money import earned, money, profit_at, profit_curve
from training.evaluation.ranking import rank
from training.evaluation.resample import Resampler

TABLES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), min_size=1, max_size=40)
DECISIONS = st.builds(
    Decision,
    action_cost=st.floats(0, 8),
    retained_value=st.floats(1, 40),
    success_rate=st.floats(0.05, 0.95),
    currency=st.just("EUR"),
)


def table(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    return np.array([p / 8 for p, _ in pairs]), np.array([y for _, y in pairs], np.int8)


def by_loop(decision: Decision, answers: NDArray[np.float64], labels: NDArray[np.int8], at: float) -> float:
    """Profit per entity, entity by entity, as one would tell it to a shopkeeper."""
    total = 0.0
    for answer, label in zip(answers.tolist(), labels.tolist(), strict=True):
        if answer >= at:
            total -= decision.action_cost
            if label:
                total += decision.success_rate * decision.retained_value
    return total / len(labels)


@settings(deadline=None, max_examples=60)
@given(TABLES, DECISIONS, st.floats(0, 1.2))
def test_profit_is_what_a_loop_earns(pairs: list[tuple[int, int]], decision: Decision, at: float) -> None:
    answers, labels = table(pairs)
    assert profit_at(decision, answers, labels, at) == pytest.approx(by_loop(decision, answers, labels, at), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(TABLES, DECISIONS)
def test_a_curve_is_its_points_also_between_and_beyond_the_answers(
    pairs: list[tuple[int, int]], decision: Decision
) -> None:
    answers, labels = table(pairs)
    at = np.array([-1.0, 0.0, 0.06, *(k / 8 for k in range(9)), 1.0 + 1e-9, 2.0])
    told = profit_curve(decision, answers, labels, at)
    assert told.tolist() == pytest.approx([by_loop(decision, answers, labels, t) for t in at.tolist()], abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(TABLES, DECISIONS)
def test_no_threshold_earns_more_than_the_best_and_of_equals_it_acts_on_fewest(
    pairs: list[tuple[int, int]], decision: Decision
) -> None:
    answers, labels = table(pairs)
    found = money(decision, answers, labels, rank(answers, labels), Resampler(len(labels)))
    every = [*np.unique(answers).tolist(), 2.0]
    profits = [by_loop(decision, answers, labels, at) for at in every]
    assert found.best_profit.value == pytest.approx(max(profits), abs=1e-9)
    best = [at for at, profit in zip(every, profits, strict=True) if profit >= max(profits) - 1e-9]
    acted = int((answers >= found.best_threshold.value).sum())
    assert acted in {int((answers >= at).sum()) for at in best}
    assert found.threshold == threshold(decision)
    assert found.profit.value == pytest.approx(by_loop(decision, answers, labels, found.threshold), abs=1e-9)
    assert found.everyone.value == pytest.approx(by_loop(decision, answers, labels, -1.0), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_acting_from_the_threshold_on_is_best_where_the_probabilities_are_right(seed: int) -> None:
    """With answers that mean what they say, the contract's threshold earns what the best one does, but for chance."""
    rng = np.random.default_rng(seed)
    answers = rng.random(40_000)
    labels = (rng.random(40_000) < answers).astype(np.int8)
    decision = Decision(2.0, 12.0, 0.4, "EUR")
    found = money(decision, answers, labels, rank(answers, labels), Resampler(40_000))
    assert 0 <= found.best_profit.value - found.profit.value < 0.01
    assert found.best_threshold.value == pytest.approx(found.threshold, abs=0.06)
    exact = quad(lambda p: max(4.8 * p - 2.0, 0.0), 0, 1, points=[2 / 4.8])[0]
    assert found.profit.low is not None
    assert found.profit.high is not None
    assert found.profit.low - 0.01 < exact < found.profit.high + 0.01


def integrated(decision: Decision, answers: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    """EMP from its definition on a grid: the mean over the rate of the best profit at each."""
    alpha, shape = success_beta(decision)
    rates = beta.ppf((np.arange(4_000) + 0.5) / 4_000, alpha, shape)
    thresholds = [*np.unique(answers), 2.0]
    found = np.array([[labels[answers >= t].sum(), (answers >= t).sum()] for t in thresholds], float)
    profits = np.outer(rates, found[:, 0]) * decision.retained_value - decision.action_cost * found[:, 1]
    return float(profits.max(axis=1).mean()) / len(labels)


@settings(deadline=None, max_examples=40)
@given(TABLES, DECISIONS)
def test_expected_maximum_profit_is_its_integral(pairs: list[tuple[int, int]], decision: Decision) -> None:
    answers, labels = table(pairs)
    ranked = rank(answers, labels)
    value, share = expected_maximum(decision, ranked.rows, ranked.positives)
    assert value == pytest.approx(integrated(decision, answers, labels), rel=2e-3, abs=2e-4 * decision.retained_value)
    assert -1e-12 <= share <= 1 + 1e-12
    (sampled,) = sampled_maximum(decision, ranked.rows[None], ranked.positives[None])
    assert sampled == pytest.approx(value, rel=0.08, abs=4e-3 * decision.retained_value)


@given(DECISIONS)
def test_the_success_rate_keeps_its_mean(decision: Decision) -> None:
    alpha, shape = success_beta(decision)
    assert alpha + shape == pytest.approx(CONCENTRATION)
    assert alpha / (alpha + shape) == pytest.approx(decision.success_rate)


@settings(deadline=None, max_examples=30)
@given(TABLES, DECISIONS)
def test_an_uncertain_rate_that_is_met_by_choosing_earns_at_least_the_best_fixed_threshold(
    pairs: list[tuple[int, int]], decision: Decision
) -> None:
    """The mean of maxima is at least the maximum of means (Jensen)."""
    answers, labels = table(pairs)
    found = money(decision, answers, labels, rank(answers, labels), Resampler(len(labels)))
    assert found.expected_maximum.value >= found.best_profit.value - 1e-9


def test_money_scales_with_the_currency() -> None:
    """In cents everything is a hundred times as much, and nothing is decided otherwise."""
    rng = np.random.default_rng(5)
    answers = rng.random(500).round(2)
    labels = (rng.random(500) < answers).astype(np.int8)
    ranked, resampler = rank(answers, labels), Resampler(500)
    euros = money(Decision(2.0, 12.0, 0.4, "EUR"), answers, labels, ranked, resampler)
    cents = money(Decision(200.0, 1_200.0, 0.4, "EUR"), answers, labels, ranked, resampler)
    assert cents.threshold == pytest.approx(euros.threshold)
    assert cents.best_threshold.value == euros.best_threshold.value
    assert cents.expected_share == pytest.approx(euros.expected_share)
    for name in ("profit", "everyone", "over_everyone", "best_profit", "expected_maximum"):
        mine, other = getattr(cents, name), getattr(euros, name)
        assert [mine.value, mine.low, mine.high] == pytest.approx(
            [100 * v for v in (other.value, other.low, other.high)]
        )
    assert cents.curve.y == pytest.approx([100 * y for y in euros.curve.y], rel=1e-4, abs=1e-4)


def test_what_each_row_earns() -> None:
    decision = Decision(2.0, 10.0, 0.3, "EUR")
    assert earned(decision, np.array([0, 1], np.int8)).tolist() == [-2.0, 1.0]


def test_the_interval_of_the_profit_covers_as_often_as_it_says() -> None:
    decision = Decision(1.0, 10.0, 0.5, "EUR")
    at = threshold(decision)
    truth = quad(lambda p: 5 * p - 1.0, at, 1)[0]
    covered, tables = 0, 60
    for seed in range(tables):
        rng = np.random.default_rng(seed)
        answers = rng.random(400)
        labels = (rng.random(400) < answers).astype(np.int8)
        with threadpool_limits(limits=1):
            figure = money(decision, answers, labels, rank(answers, labels), Resampler(400, seed=seed)).profit
        assert figure.low is not None
        assert figure.high is not None
        covered += figure.low <= truth <= figure.high
    assert covered >= 0.95 * tables - 3.5 * math.sqrt(0.05 * 0.95 * tables)
