"""What predictions are worth, against examples computed by hand."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.contract import Decision
from ebb.errors import DataError
from ebb.onnx import OnnxScorer
from tests.fakes.made_contracts import contract_of
from tests.fakes.tables import contract_for, fit_model, make_table
from training.calibrate import Platt, crossfit_platt, fit_platt
from training.evaluation.calibration import calibration, calibration_error, reliability
from training.evaluation.evaluate import evaluate, latency_ms
from training.evaluation.groups import MISSING, of_numbers
from training.evaluation.money import profit_at, profit_curve
from training.evaluation.resample import Resampler
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


@settings(deadline=None)  # a busy machine is no defect
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


def test_groups_of_numbers_are_values_or_quarters() -> None:
    number = contract_of('name = "age"; kind = "number"; missing = true').features[0]
    few = of_numbers(number, np.array([1, 2, np.nan], np.float32))
    assert [few.names[c] for c in few.codes] == ["1", "2", MISSING]
    groups = of_numbers(number, np.append(np.arange(100), np.nan).astype(np.float32))
    names = [groups.names[c] for c in groups.codes]
    assert names[0] == "below 24.75"
    assert names[99] == "74.25 and above"
    assert names[100] == MISSING
    assert groups.rows.tolist() == [25, 25, 25, 25, 1]


def test_a_number_without_any_value_is_one_group() -> None:
    number = contract_of('name = "age"; kind = "number"; missing = true').features[0]
    groups = of_numbers(number, np.full(3, np.nan, np.float32))
    assert [groups.names[c] for c in groups.codes] == [MISSING] * 3


def test_one_class_cannot_be_judged() -> None:
    inputs, _ = make_table(4, 1, 0)
    with pytest.raises(DataError, match="4 rows with 0 positive labels cannot be judged: both classes must occur"):
        evaluate(contract_for(1, 0), inputs, np.zeros(4, np.int8), ANSWERS)


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.5])
def test_answers_that_are_no_probabilities_are_refused(wrong: float) -> None:
    inputs, _ = make_table(4, 1, 0)
    with pytest.raises(DataError, match="1 of 4 answers are no probabilities"):
        evaluate(contract_for(1, 0), inputs, LABELS, np.array([0.1, 0.2, 0.3, wrong]))


def test_constant_answers_can_be_judged() -> None:
    inputs, labels = make_table(300, 2, 1)
    found = evaluate(contract_for(2, 1, "; protected = true"), inputs, labels, np.full(300, 0.4))
    assert found.auc == pytest.approx(0.5)
    assert found.average_precision == pytest.approx(labels.mean())
    assert found.acted_on == 1
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["acted_on"] == 1


def test_rows_of_one_entity_have_no_intervals() -> None:
    inputs, labels = make_table(300, 2, 1)
    found = evaluate(contract_for(2, 1), inputs, labels, np.full(300, 0.4), groups=np.zeros(300, np.intp))
    assert found.entities == 1
    assert set(found.intervals.values()) == {None}
    assert found.money.profit.low is None
    assert found.roc.low == ()


def test_everything_measured_can_be_written_down_and_lies_in_its_interval() -> None:
    inputs, labels = make_table(900, 3, 2)
    raw = np.nan_to_num(inputs.numbers[:, 0].astype(np.float64))
    contract = contract_for(3, 2, "; protected = true")
    found = evaluate(contract, inputs, labels, Platt(1.0, 0.0).probability(raw), raw=raw)
    told = json.loads(json.dumps(asdict(found), allow_nan=False))
    for name, interval in told["intervals"].items():
        assert interval["low"] <= told[name] <= interval["high"], name
    for curve in (told["roc"], told["precision_recall"], told["money"]["curve"]):
        assert np.all(np.array(curve["low"]) <= curve["y"])
        assert np.all(np.array(curve["high"]) >= curve["y"])
    assert told["reliability"]["before"] == told["reliability"]["after"]  # this Platt changes nothing
    assert {s["feature"] for s in told["segments"]} == {f.name for f in contract.features}


def test_the_order_of_the_rows_changes_no_figure() -> None:
    inputs, labels = make_table(400, 2, 1)
    answers = Platt(1.0, 0.0).probability(np.nan_to_num(inputs.numbers[:, 0].astype(np.float64)))
    order = np.random.default_rng(3).permutation(400)
    contract = contract_for(2, 1)
    one = evaluate(contract, inputs, labels, answers)
    other = evaluate(contract, inputs.rows(order), labels[order], answers[order])
    for name in one.intervals:
        assert getattr(other, name) == pytest.approx(getattr(one, name)), name
    assert other.money.expected_maximum.value == pytest.approx(one.money.expected_maximum.value)
    assert other.money.best_threshold.value == one.money.best_threshold.value
    assert {(s.feature, s.name, s.rows) for s in other.segments} == {(s.feature, s.name, s.rows) for s in one.segments}


def test_a_perfectly_calibrated_model_shows_the_error_that_is_expected_of_it() -> None:
    rng = np.random.default_rng(4)
    answers = rng.random(2_000)
    shown = []
    for _ in range(200):
        labels = (rng.random(2_000) < answers).astype(np.int8)
        shown.append(calibration_error(answers, labels))
    measured = calibration(answers, labels, Resampler(2_000))
    assert measured.error_if_perfect == pytest.approx(np.mean(shown), rel=0.1)


def test_platt_scaling_is_seen_before_and_after() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=5_000)
    labels = (rng.random(5_000) < Platt(1.0, 0.0).probability(truth)).astype(np.int8)
    raw = 3 * truth  # three times too sure
    inputs, _ = make_table(5_000, 1, 0)
    found = evaluate(contract_for(1, 0), inputs, labels, fit_platt(raw, labels).probability(raw), raw=raw).reliability
    assert found.before is not None
    assert found.before.error.low is not None
    assert found.after.error.high is not None
    assert found.before.error.low > found.after.error.high
    assert found.before.log_loss.value > found.after.log_loss.value
    assert sum(b.rows for b in found.after.bins) == 5_000


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


def temporal() -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.int8]]:
    rng = np.random.default_rng(2)
    fold = np.repeat([-1, 0, 1, 2], 200).astype(np.int8)
    raw = np.where(fold < 0, np.nan, rng.normal(size=800))
    return raw, (rng.random(800) < 0.4).astype(np.int8), fold


def test_by_time_a_fold_is_calibrated_by_earlier_ones() -> None:
    raw, labels, fold = temporal()
    found = crossfit_platt(raw, labels, fold, temporal=True)
    assert np.isnan(found[fold < 0]).all()
    assert np.isfinite(found[fold >= 0]).all()
    later = np.where(fold == 2, 1 - labels, labels).astype(np.int8)
    changed = crossfit_platt(raw, later, fold, temporal=True)
    assert np.array_equal(found[fold > 0], changed[fold > 0])
    assert not np.array_equal(found[fold == 0], changed[fold == 0])  # the first one has only later ones
    expected = fit_platt(raw[fold == 0], labels[fold == 0]).probability(raw[fold == 1])
    assert np.array_equal(found[fold == 1], expected)


def test_a_fold_alone_keeps_its_own_sigmoid() -> None:
    raw, labels, fold = temporal()
    alone = np.where(fold == 2, 0, -1).astype(np.int8)
    found = crossfit_platt(raw, labels, alone, temporal=True)
    assert np.array_equal(found[fold == 2], Platt(1.0, 0.0).probability(raw[fold == 2]))


def test_an_earlier_fold_of_one_class_calibrates_nothing() -> None:
    raw, labels, fold = temporal()
    labels[fold == 0] = 0
    found = crossfit_platt(raw, labels, fold, temporal=True)
    expected = fit_platt(raw[(fold == 0) | (fold == 2)], labels[(fold == 0) | (fold == 2)]).probability(raw[fold == 1])
    assert np.array_equal(found[fold == 1], expected)


def test_probability_of_extreme_log_odds_is_exact() -> None:
    assert Platt(1.0, 0.0).probability(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_latency_is_a_median_of_single_rows() -> None:
    inputs, labels = make_table(100, 2, 1)
    scorer = OnnxScorer(export(fit_model(inputs, labels), 2, 1))
    assert 0 < latency_ms(scorer, inputs, calls=150) < 50
