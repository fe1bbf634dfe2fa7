"""What predictions are worth, against examples computed by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.contract import Decision
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from tests.fakes.made_contracts import contract_of
from tests.fakes.tables import contract_for, fit_model, make_table
from training.calibrate import Platt, crossfit_platt, fit_platt
from training.evaluation.evaluate import calibration_error, evaluate, latency_ms, reliability
from training.evaluation.fairness import MISSING, fairness, group_names
from training.evaluation.money import profit_at, profit_curve
from training.export import export

DECISION = Decision(action_cost=2.0, retained_value=10.0, success_rate=0.5, currency="EUR")
LABELS = np.array([1, 0, 1, 0], np.int8)
ANSWERS = np.array([0.9, 0.8, 0.3, 0.1])


def test_calibration_error_by_hand() -> None:
    # Bins: 0.1 (0 of 1), 0.3 (1 of 1), 0.8 (0 of 1), 0.9 (1 of 1) -> (0.1 + 0.7 + 0.8 + 0.1) / 4
    assert calibration_error(ANSWERS, LABELS) == pytest.approx(0.425)


def test_calibration_error_pools_a_bin() -> None:
    # One bin, mean answer 0.25, two of four positive -> 0.25
    assert calibration_error(np.array([0.21, 0.23, 0.27, 0.29]), LABELS) == pytest.approx(0.25)


def test_one_belongs_to_the_last_bin() -> None:
    assert reliability(np.array([1.0, 0.95]), np.array([1, 1], np.int8)) == [(0.975, 1.0, 2)]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=50))
def test_calibration_error_lies_between_0_and_1(pairs: list[tuple[float, int]]) -> None:
    answers, labels = np.array([p for p, _ in pairs]), np.array([y for _, y in pairs], np.int8)
    assert 0 <= calibration_error(answers, labels) <= 1
    assert sum(rows for _, _, rows in reliability(answers, labels)) == len(pairs)


def test_profit_by_hand() -> None:
    # At 0.4 the first two are acted on: (1 * 5 - 2) + (0 * 5 - 2) = 1, over four entities
    assert profit_at(DECISION, ANSWERS, LABELS, 0.4) == pytest.approx(0.25)
    # Everyone: two successes of 5 for four costs of 2
    assert profit_at(DECISION, ANSWERS, LABELS, 0.0) == pytest.approx(0.5)
    assert profit_at(DECISION, ANSWERS, LABELS, 1.1) == 0.0


def test_the_threshold_itself_acts() -> None:
    assert profit_at(DECISION, np.array([0.4]), np.array([1], np.int8), 0.4) == pytest.approx(3.0)


def test_profit_curve_is_profit_at_each() -> None:
    at = np.array([0.0, 0.4, 1.0])
    assert profit_curve(DECISION, ANSWERS, LABELS, at).tolist() == pytest.approx([0.5, 0.25, 0.0])


def test_evaluation_by_hand() -> None:
    inputs, _ = make_table(4, 1, 0)
    found = evaluate(contract_for(1, 0), inputs, LABELS, ANSWERS)
    assert found.auc == pytest.approx(0.75)  # of four pairs one is in the wrong order
    assert found.threshold == pytest.approx(0.2)  # cost 1, value 10, success 0.5
    assert found.acted_on == pytest.approx(0.75)
    assert found.profit == pytest.approx((5 + 5 - 3) / 4)
    assert found.profit_everyone == pytest.approx((10 - 4) / 4)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.49 + 0.01) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.9, 0.2, 0.3, 0.9]).mean())
    assert found.base_rate_log_loss == pytest.approx(np.log(2))
    assert [found.rows, found.class_rate, found.mean_probability] == pytest.approx([4, 0.5, 0.525])


def test_fairness_compares_groups_that_are_large_enough() -> None:
    contract = contract_of(
        'name = "g"; kind = "category"; missing = true; protected = true', 'name = "x"; kind = "flag"'
    )
    names = np.array(["a"] * 60 + ["b"] * 60 + ["rare"] * 49 + [""] * 50, object)
    inputs = Inputs(np.zeros((len(names), 1), np.float32), names[:, None])
    acted = np.isin(names, ["a", "rare"]) | (np.arange(len(names)) < 90)
    labels = (np.arange(len(names)) % 2).astype(np.int8)
    (found,) = fairness(contract, inputs, labels, acted)
    assert {g.name: (g.rows, g.acted_on) for g in found.groups} == {"a": (60, 1.0), "b": (60, 0.5), MISSING: (50, 0.0)}
    assert found.gap == 1.0
    assert found.rows == 170


def test_groups_of_numbers_are_values_or_quarters() -> None:
    number = contract_of('name = "age"; kind = "number"; missing = true').features[0]
    assert set(group_names(number, np.array([1, 2, np.nan], np.float32))) == {"1", "2", MISSING}
    ages = np.append(np.arange(100), np.nan).astype(np.float32)
    names = group_names(number, ages)
    assert names[0] == "below 24.75"
    assert names[99] == "74.25 and above"
    assert names[100] == MISSING
    assert len(set(names)) == 5


def test_platt_recovers_slope_and_offset() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=40_000)
    labels = (rng.random(len(raw)) < Platt(2.0, -1.0).probability(raw)).astype(np.int8)
    found = fit_platt(raw, labels)
    assert [found.slope, found.offset] == pytest.approx([2.0, -1.0], abs=0.06)
    assert (found.slope, found.offset) == (float(np.float32(found.slope)), float(np.float32(found.offset)))


def test_calibration_of_a_fold_never_saw_it() -> None:
    rng = np.random.default_rng(1)
    raw, fold = rng.normal(size=1_000), (np.arange(1_000) % 5).astype(np.int8)
    labels = (rng.random(1_000) < 0.4).astype(np.int8)
    before = crossfit_platt(raw, labels, fold)
    flipped = np.where(fold == 2, 1 - labels, labels).astype(np.int8)
    after = crossfit_platt(raw, flipped, fold)
    assert np.array_equal(before[fold == 2], after[fold == 2])
    assert not np.array_equal(before[fold != 2], after[fold != 2])


def test_probability_of_extreme_log_odds_is_exact() -> None:
    assert Platt(1.0, 0.0).probability(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_latency_is_a_median_of_single_rows() -> None:
    inputs, labels = make_table(100, 2, 1)
    scorer = OnnxScorer(export(fit_model(inputs, labels), 2, 1))
    assert 0 < latency_ms(scorer, inputs, calls=150) < 50
