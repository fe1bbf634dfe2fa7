"""Economics, the fallback score, and reason codes."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.contract import Adjustment, Decision, Rules
from ebb.decision import decide, expected_profit, threshold
from ebb.features.inputs import Inputs, accept_row
from ebb.onnx import OnnxScorer
from ebb.reasons import reason_codes
from ebb.rules import rules_score, rules_version
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.releases import tiny_model

ECONOMICS = Decision(action_cost=10, retained_value=200, success_rate=0.25, currency="EUR")


def test_acting_pays_from_the_threshold_on() -> None:
    assert threshold(ECONOMICS) == 0.2
    assert expected_profit(ECONOMICS, 0.2) == pytest.approx(0.0)
    assert expected_profit(ECONOMICS, 0.5) == pytest.approx(15.0)
    assert (decide(ECONOMICS, 0.2), decide(ECONOMICS, 0.1999)) == ("act", "hold")


@given(st.floats(0, 1))
def test_the_decision_is_the_sign_of_the_profit(probability: float) -> None:
    profit = expected_profit(ECONOMICS, probability)
    assert decide(ECONOMICS, probability) == ("act" if profit >= 0 else "hold") or abs(profit) < 1e-9


def test_rules_add_up_and_are_clipped() -> None:
    rules = tiny_contract().rules
    assert rules_score(rules, {"tenure": 5, "plan": "basic"}) == pytest.approx(0.6)
    assert rules_score(rules, {"tenure": 12, "plan": "plus"}) == pytest.approx(0.2)
    assert rules_score(rules, {}) == pytest.approx(0.2)
    steep = Rules(0.9, (Adjustment("x", 0.9, missing=True), Adjustment("y", -1.0, at_least=2.0)))
    assert rules_score(steep, {}) == 1.0
    assert rules_score(steep, {"x": 1, "y": 2}) == 0.0
    assert rules_score(steep, {"x": 1, "y": "text"}) == 0.9


def test_the_rules_version_changes_with_the_rules() -> None:
    rules = tiny_contract().rules
    assert rules_version(rules) == rules_version(tiny_contract().rules)
    assert rules_version(rules) != rules_version(Rules(0.3, rules.adjustments))


def _rows() -> tuple[dict[str, float | str], dict[str, float | str]]:
    contract = tiny_contract()
    row = accept_row(contract, {**ROW, "tenure": 40, "spend": 300.0, "plan": "plus", "city": "Bruges"})
    return row, accept_row(contract, {**ROW, "paperless": True})


def test_reasons_add_up_to_the_difference() -> None:
    contract, scorer = tiny_contract(), OnnxScorer(tiny_model())
    row, reference = _rows()
    reasons = reason_codes(contract, scorer, row, reference, "seed")
    assert {r.feature for r in reasons} == {"tenure", "spend", "plan", "city"}
    scores = [scorer.score(_one(r))[0] for r in (row, reference)]
    assert sum(r.contribution for r in reasons) == pytest.approx(float(scores[0]) - float(scores[1]), abs=1e-6)
    assert [abs(r.contribution) for r in reasons] == sorted((abs(r.contribution) for r in reasons), reverse=True)
    assert next(r for r in reasons if r.feature == "city").contribution == 0.0


def test_few_features_are_enumerated_exactly() -> None:
    contract, scorer = tiny_contract(), OnnxScorer(tiny_model())
    row, reference = _rows()
    row["city"] = reference["city"]
    exact = dict.fromkeys(("tenure", "spend", "plan"), 0.0)
    for order in permutations(exact):
        current, before = dict(reference), float(scorer.score(_one(reference))[0])
        for name in order:
            current[name] = row[name]
            after = float(scorer.score(_one(current))[0])
            exact[name] += (after - before) / 6
            before = after
    found = {r.feature: r.contribution for r in reason_codes(contract, scorer, row, reference, "any")}
    assert found == pytest.approx(exact, abs=1e-9)


def test_the_same_case_gives_the_same_reasons() -> None:
    row, reference = _rows()
    args = (tiny_contract(), OnnxScorer(tiny_model()), row, reference)
    assert reason_codes(*args, "release-1") == reason_codes(*args, "release-1")


def test_the_reference_itself_has_no_reasons() -> None:
    _, reference = _rows()
    missing = {**reference, "spend": float("nan")}
    assert reason_codes(tiny_contract(), OnnxScorer(tiny_model()), missing, dict(missing), "s") == ()


class _Linear:
    """Scores 12 numbers linearly; exact Shapley values are the weights times the differences."""

    weights = np.arange(1, 13, dtype=np.float32) / 100

    def score(self, inputs: Inputs) -> NDArray[np.float32]:
        return (inputs.numbers @ self.weights).astype(np.float32)


def test_sampled_reasons_are_exact_for_a_linear_graph() -> None:
    from ebb.contract import parse_contract  # noqa: PLC0415
    from tests.fakes.contracts import TEXT  # noqa: PLC0415

    head = TEXT[: TEXT.index("[[rules.adjust]]")]
    contract = parse_contract(head + "".join(f'[[features]]\nname = "f{i}"\nkind = "number"\n' for i in range(12)))
    row: dict[str, float | str] = {f"f{i}": float(i + 1) for i in range(12)}
    reasons = reason_codes(contract, _Linear(), row, dict.fromkeys(row, 0.0), "s")
    assert len(reasons) == 12
    for reason in reasons:
        i = int(reason.feature[1:])
        assert reason.contribution == pytest.approx((i + 1) * (i + 1) / 100, abs=1e-5)


def _one(row: dict[str, float | str]) -> Inputs:
    from ebb.features.inputs import encode  # noqa: PLC0415

    return encode(tiny_contract(), [row])
