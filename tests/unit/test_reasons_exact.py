"""Three ways to exact Shapley values agree: the fitted trees, all coalitions on the graph, the package shap."""

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.features.inputs import Inputs, accept_row, encode
from ebb.onnx import OnnxScorer
from ebb.reasons import Explainer
from tests.fakes.games import contract_of
from tests.load.exact_reasons import all_scores, differing, exact_reasons, shapley_values
from training.calibrate import Model, Platt
from training.export import export
from training.fit import TreeSize, fit_boosted

NUMBERS, CATEGORIES = 7, 5
_NAMES = [*(f"n{j}" for j in range(NUMBERS)), *(f"c{j}" for j in range(CATEGORIES))]


@lru_cache(maxsize=1)
def _champion() -> tuple[Contract, Model, OnnxScorer, Inputs]:
    """Fit small trees to numbers (some missing) and categories that act together."""
    random = np.random.default_rng(7)
    numbers = np.round(random.normal(size=(600, NUMBERS))).astype(np.float32) + 0.0
    codes = random.integers(3, size=(600, CATEGORIES))
    raw = 2 * numbers[:, 0] + numbers[:, 1] * (codes[:, 0] - 1) + codes[:, 1] + np.abs(numbers[:, 2]) * codes[:, 2] - 2
    numbers[random.random(numbers.shape) < 0.1] = np.nan
    inputs = Inputs(numbers, np.array(["a", "b", ""], object)[codes])
    labels = (random.random(600) < 1 / (1 + np.exp(-raw))).astype(np.int8)
    boosted = fit_boosted(inputs, labels, TreeSize("tiny", leaves=8, rate=0.2, trees=25), 0)
    model = Model(boosted, Platt(1.25, -0.125))
    return contract_of(NUMBERS, CATEGORIES), model, OnnxScorer(export(model, NUMBERS, CATEGORIES)), inputs


def _on_the_graph(own: Inputs, usual: Inputs, coalitions: NDArray[Any]) -> NDArray[np.float64]:
    """Score coalitions [m, n] of the differing columns, built one value after the other."""
    contract, _, scorer, _ = _champion()
    rows: list[dict[str, float | str]] = []
    for taken in coalitions:
        raw = _raw(usual)
        for column, takes in zip(differing(own, usual), taken, strict=True):
            raw[_NAMES[column]] = _raw(own)[_NAMES[column]] if takes else raw[_NAMES[column]]
        rows.append(raw)
    return scorer.score(encode(contract, rows)).astype(np.float64)


def _raw(one: Inputs) -> dict[str, float | str]:
    return dict(zip(_NAMES, [*one.numbers[0].tolist(), *one.categories[0].tolist()], strict=True))


def _cases(differ: range, count: int) -> list[tuple[Inputs, Inputs]]:
    inputs = _champion()[3]
    pairs = [(inputs.rows([at]), inputs.rows([at + 1])) for at in range(599)]
    found = [pair for pair in pairs if len(differing(*pair)) in differ]
    assert len(found) >= count
    return found[:count]


@pytest.mark.parametrize("case", range(6))
def test_the_trees_say_what_the_graph_says_of_all_coalitions(case: int) -> None:
    own, usual = _cases(range(8, 12), 6)[case]
    scores = all_scores(_champion()[1], own, usual)
    coalitions = np.array(np.unravel_index(np.arange(scores.size), scores.shape)).T
    assert _on_the_graph(own, usual, coalitions) == pytest.approx(scores.ravel(), abs=1e-6)


@pytest.mark.parametrize("case", range(4))
def test_shap_says_the_same(case: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of shap's own dependencies
        import shap  # noqa: PLC0415

        own, usual = _cases(range(6, 11), 4)[case]
        n = len(differing(own, usual))
        explainer = shap.explainers.ExactExplainer(
            lambda taken: _on_the_graph(own, usual, taken > 0), shap.maskers.Independent(np.zeros((1, n)))
        )
        told = explainer(np.ones((1, n))).values[0]
    assert shapley_values(all_scores(_champion()[1], own, usual)) == pytest.approx(told, abs=1e-6)


@pytest.mark.parametrize("case", range(12))
def test_reasons_of_few_features_are_the_exact_values(case: int) -> None:
    contract, model, scorer, _ = _champion()
    own, usual = _cases(range(1, 8), 12)[case]
    reasons = Explainer(contract, scorer, _raw(usual)).explain(_raw(own), "r")
    expected = exact_reasons(model, _NAMES, own, usual)
    assert {r.feature: r.contribution for r in reasons} == pytest.approx(expected, abs=1e-6)


def test_reasons_of_many_features_are_close_to_the_exact_values() -> None:
    contract, model, scorer, _ = _champion()
    errors = []
    for own, usual in _cases(range(9, 13), 40):
        reasons = Explainer(contract, scorer, _raw(usual)).explain(_raw(own), "r")
        expected = exact_reasons(model, _NAMES, own, usual)
        assert sum(r.contribution for r in reasons) == pytest.approx(sum(expected.values()), abs=1e-5)
        errors += [abs(r.contribution - expected[r.feature]) for r in reasons]
    assert np.mean(errors) < 0.004
    assert max(errors) < 0.05


def test_a_case_is_what_a_caller_sends() -> None:
    contract, _, _, _ = _champion()
    own, usual = _cases(range(9, 13), 1)[0]
    raw = {name: None if value == "" or value != value else value for name, value in _raw(own).items()}  # noqa: PLR0124
    assert repr(accept_row(contract, raw)) == repr(_raw(own))
    assert len(differing(own, own)) == 0 < len(differing(own, usual))
