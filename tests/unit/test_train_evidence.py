"""Strained inputs, single features, and what a model rests on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from tests.fakes.made_contracts import contract_of
from tests.fakes.tables import TINY, contract_for, fit_model, make_table
from training.evaluation.importance import importance
from training.evaluation.leakage import leakage, shared_entities, single_aucs
from training.evaluation.robustness import robustness
from training.export import export
from training.fit import Linear, code, fit_logistic
from training.fit.lightgbm import fit_lightgbm


class First:
    """A graph whose answer is the sigmoid of the first number, a half where it is missing."""

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        return (1 / (1 + np.exp(-np.nan_to_num(inputs.numbers[:, 0])))).astype(np.float32)


def test_the_feature_that_the_answers_rest_on_leads_the_ranking() -> None:
    inputs, labels = make_table(2_000, 3, 2)
    scorer = OnnxScorer(export(fit_model(inputs, labels), 3, 2))
    found = robustness(contract_for(3, 2), inputs, labels, scorer)
    assert (found.rows, found.features, found.of) == (1_000, 5, 5)
    assert found.strains[0].feature in {"n0", "c0"}
    changed = [s.decisions_changed for s in found.strains]
    assert changed == sorted(changed, reverse=True)
    assert {(s.feature, s.what) for s in found.strains} == {
        *((f"n{j}", what) for j in range(3) for what in ("missing", "shifted")),
        ("c0", "missing"),
        ("c1", "missing"),
    }


def test_a_strain_by_hand() -> None:
    numbers = np.array([[-3.0], [np.nan], [3.0], [3.0]], np.float32)
    inputs, labels = Inputs(numbers, np.empty((4, 0), object)), np.array([0, 0, 1, 1], np.int8)
    missing, shifted = sorted(robustness(contract_for(1, 0), inputs, labels, First()).strains, key=lambda s: s.what)
    # blanked, all are answered 0.5 and acted on: the first too, which costs 1 of four
    assert (missing.touched, missing.decisions_changed, missing.profit_lost) == (0.75, 0.25, 0.25)
    assert missing.auc_lost == pytest.approx(0.5)
    assert (shifted.touched, shifted.auc_lost) == (0.75, 0.0)
    assert np.isnan(numbers).sum() == 1  # the rows themselves stay


def test_a_default_stands_in_and_a_range_is_kept() -> None:
    contract = contract_of('name = "n0"; kind = "number"; default = 1; max = 3', 'name = "f"; kind = "flag"')
    numbers = np.array([[1.0, 0.0], [1.0, 1.0], [3.0, 1.0]], np.float32)
    inputs = Inputs(numbers, np.empty((3, 0), object))
    seen: list[NDArray[np.float32]] = []

    class Watching(First):
        """Keeps what it is asked."""

        def score(self, inputs: Inputs) -> NDArray[np.float32]:
            seen.append(inputs.numbers)
            return super().score(inputs)

    found = robustness(contract, inputs, np.array([0, 1, 1], np.int8), Watching())
    assert [(s.feature, s.what) for s in sorted(found.strains, key=lambda s: (s.feature, s.what))] == [
        ("f", "missing"),
        ("n0", "missing"),
        ("n0", "shifted"),
    ]
    assert seen[1][:, 0].tolist() == [1, 1, 1]
    assert np.max(seen[2][:, 0]) == 3
    assert np.isnan(seen[3][:, 1]).all()


def test_of_many_features_few_are_strained() -> None:
    inputs, labels = make_table(200, 40, 0)
    weights = np.zeros(40)
    weights[33] = 1
    found = robustness(contract_for(40, 0), inputs, labels, First(), importance=weights)
    assert (found.features, found.of) == (8, 40)
    assert "n33" in {s.feature for s in found.strains}


def test_one_class_and_an_empty_column_are_no_trouble() -> None:
    inputs, _ = make_table(60, 2, 1)
    inputs.numbers[:, 1] = np.nan
    found = robustness(contract_for(2, 1), inputs, np.zeros(60, np.int8), First())
    assert {s.auc_lost for s in found.strains} == {None}
    assert ("n1", "shifted") not in {(s.feature, s.what) for s in found.strains}


def test_trees_and_lines_tell_what_they_rest_on() -> None:
    inputs, labels = make_table(3_000, 4, 3)
    trees = importance(fit_model(inputs, labels).fitted, 7)
    line = importance(fit_logistic(code(inputs), labels, Linear("line", 1.0), seed=0), 7)
    for found in (trees, line):
        assert found is not None
        assert found.sum() == pytest.approx(1)
        assert set(np.argsort(-found)[:2].tolist()) == {0, 4}  # n0 and c0 make the label


def test_trees_of_lightgbm_tell_it_too() -> None:
    inputs, labels = make_table(2_000, 3, 1)
    found = importance(fit_lightgbm(inputs, labels, TINY, 0), 4)
    assert found is not None
    assert found.sum() == pytest.approx(1)
    assert set(np.argsort(-found)[:2].tolist()) == {0, 3}


def test_trees_without_a_split_rest_on_nothing() -> None:
    inputs, labels = make_table(300, 1, 0)
    inputs.numbers[:] = 1
    assert importance(fit_model(inputs, labels).fitted, 1) is None


def test_what_single_features_tell_ranks_them() -> None:
    inputs, labels = make_table(2_000, 3, 2)
    found = single_aucs(code(inputs), labels)
    assert found.shape == (5,)
    assert set(np.argsort(-found)[:2].tolist()) == {0, 3}
    assert single_aucs(code(inputs), np.zeros(2_000, np.int8)).tolist() == [0.5] * 5


def test_a_leak_is_suspected_and_leads() -> None:
    inputs, labels = make_table(1_000, 2, 2)
    inputs.numbers[:, 1] = labels
    fold = (np.arange(1_000) % 5).astype(np.int8)
    weights = np.array([0.1, 0.7, 0.1, 0.1])
    found = leakage(contract_for(2, 2), code(inputs), labels, fold, importance=weights)
    first = found.singles[0]
    assert (first.feature, first.suspected, first.importance) == ("n1", True, 0.7)
    assert first.auc == pytest.approx(1)
    assert not any(s.suspected for s in found.singles[1:])
    assert (found.rows, found.entities_in_two_folds, found.by_time) == (1_000, 0, False)


def test_a_table_of_noise_is_no_leak() -> None:
    rng = np.random.default_rng(0)
    inputs, _ = make_table(1_000, 1, 1, most=400)
    labels = rng.integers(0, 2, 1_000).astype(np.int8)
    found = leakage(contract_for(1, 1), code(inputs), labels, np.zeros(1_000, np.int8))
    assert max(s.auc for s in found.singles) < 0.6
    assert {s.importance for s in found.singles} == {None}


def test_entities_in_two_folds_are_counted() -> None:
    entity = np.array([0, 0, 1, 1, 2, 2, 3])
    assert shared_entities(np.array([0, 0, 1, 1, 2, 2, 0], np.int8), entity) == 0
    assert shared_entities(np.array([0, 1, 1, 1, 2, 0, 0], np.int8), entity) == 2
    assert shared_entities(np.array([0, 1, 2, 3, 4, 4, 0], np.int8), np.array([5, 5, 5, 5, 2, 2, 9])) == 1
    assert shared_entities(np.array([0, -1, 1, 1, 2, 0, 0], np.int8), entity) == 1  # never held out is no fold
    assert shared_entities(np.full(7, -1, np.int8), entity) == 0
    assert shared_entities(np.zeros(7, np.int8), None) == 0
