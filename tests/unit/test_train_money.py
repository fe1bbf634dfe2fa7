"""Thresholds and expected maximum profit, against examples by hand and a numeric integration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import beta

from ebb.contract import Decision
from training.evaluation.emp import expected_maximum, sampled_maximum, success_beta
from training.evaluation.model import Money
from training.evaluation.money import money, profit_at
from training.evaluation.ranking import rank
from training.evaluation.resample import Resampler

DECISION = Decision(action_cost=2.0, retained_value=10.0, success_rate=0.3, currency="EUR")
TABLES = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 1)), min_size=2, max_size=60)


def measured(answers: NDArray[np.float64], labels: NDArray[np.int8], decision: Decision = DECISION) -> Money:
    return money(decision, answers, labels, rank(answers, labels), Resampler(len(labels)))


def table(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    return np.array([p / 10 for p, _ in pairs]), np.array([y for _, y in pairs], np.int8)


def integrated(decision: Decision, answers: NDArray[np.float64], labels: NDArray[np.int8]) -> float:
    """Return the integral over the success rate of the best profit at each, from its definition."""
    alpha, shape = success_beta(decision)
    thresholds = [*np.unique(answers), 2.0]

    def best(rate: float) -> float:
        worth = labels * rate * decision.retained_value - decision.action_cost
        density = float(beta.pdf(rate, alpha, shape))
        return max(float(np.where(answers >= t, worth, 0.0).mean()) for t in thresholds) * density

    return sum(float(quad(best, a, a + 0.05, limit=50)[0]) for a in np.arange(0, 1, 0.05))


def test_the_papers_own_distribution_is_a_success_rate_of_three_tenths() -> None:
    assert success_beta(DECISION) == pytest.approx((6, 14))


def test_a_perfect_ranking_by_hand() -> None:
    # All positives are acted on when the rate pays, 10 * rate >= 2: EMP = half of E[10 rate - 2; rate >= 0.2]
    value, share = expected_maximum(DECISION, np.array([5.0, 5.0]), np.array([0.0, 5.0]))
    rate = beta(6, 14)
    expected = 0.5 * quad(lambda r: (10 * r - 2) * rate.pdf(r), 0.2, 1)[0]
    assert value == pytest.approx(expected)
    assert share == pytest.approx(0.5 * rate.sf(0.2))


@pytest.mark.parametrize("success", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_expected_maximum_is_its_integral(success: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = np.round(rng.random(60), 1)
    labels = (rng.random(60) < answers).astype(np.int8)
    decision = Decision(2.0, 10.0, success, "EUR")
    ranked = rank(answers, labels)
    value, _ = expected_maximum(decision, ranked.rows, ranked.positives)
    assert value == pytest.approx(integrated(decision, answers, labels), rel=1e-4, abs=1e-6)
    sampled = sampled_maximum(decision, ranked.rows[None], ranked.positives[None])
    assert sampled[0] == pytest.approx(value, rel=0.05, abs=0.02)


def test_a_sure_success_has_one_best_threshold() -> None:
    answers, labels = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1], np.int8)
    decision = Decision(2.0, 10.0, 1.0, "EUR")
    found = measured(answers, labels, decision)
    assert found.success_beta == 0
    assert found.expected_maximum.value == pytest.approx(found.best_profit.value)
    assert found.best_threshold.value == 0.4


@settings(deadline=None)  # a busy machine is no defect
@given(TABLES, st.floats(0.02, 0.98))
def test_expected_maximum_is_at_least_any_fixed_threshold(pairs: list[tuple[int, int]], success: float) -> None:
    answers, labels = table(pairs)
    decision = Decision(2.0, 10.0, success, "EUR")
    ranked = rank(answers, labels)
    value, share = expected_maximum(decision, ranked.rows, ranked.positives)
    assert 0 <= share <= 1 + 1e-12
    for threshold in (0.0, 0.3, 0.7, 1.0):
        assert value >= profit_at(decision, answers, labels, threshold) - 1e-9
    assert value >= 0


@settings(deadline=None)
@given(TABLES)
def test_the_best_threshold_earns_what_is_said_and_most(pairs: list[tuple[int, int]]) -> None:
    answers, labels = table(pairs)
    found = measured(answers, labels)
    assert profit_at(DECISION, answers, labels, found.best_threshold.value) == pytest.approx(found.best_profit.value)
    for threshold in np.linspace(0, 1, 11):
        assert found.best_profit.value >= profit_at(DECISION, answers, labels, float(threshold)) - 1e-9
    assert found.curve.y[0] == pytest.approx(found.everyone.value, rel=1e-5)
    assert found.over_everyone.value == pytest.approx(found.profit.value - found.everyone.value)


def test_where_acting_never_pays_the_best_threshold_is_above_every_answer() -> None:
    found = measured(np.array([0.2, 1.0] * 10), np.zeros(20, np.int8))
    assert found.best_threshold.value > 1
    assert found.best_profit.value == 0
    assert found.expected_maximum.value == 0
    assert found.expected_share == 0


def test_where_acting_is_free_everyone_is_acted_on() -> None:
    free = Decision(0.0, 10.0, 0.3, "EUR")
    answers, labels = np.array([0.1, 0.9] * 10), np.array([0, 1] * 10, np.int8)
    found = measured(answers, labels, free)
    assert found.expected_share == pytest.approx(1)
    assert found.expected_maximum.value == pytest.approx(found.everyone.value)


def test_intervals_hold_their_points() -> None:
    rng = np.random.default_rng(1)
    answers = rng.random(2_000)
    labels = (rng.random(2_000) < answers).astype(np.int8)
    found = measured(answers, labels)
    for figure in (
        found.profit,
        found.everyone,
        found.over_everyone,
        found.best_threshold,
        found.best_profit,
        found.expected_maximum,
    ):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high
    # acting pays from 2 / (10 * 0.3); the answers are right, so the rows say so too
    assert found.best_threshold.low is not None
    assert found.best_threshold.high is not None
    assert found.best_threshold.low <= found.threshold <= found.best_threshold.high
