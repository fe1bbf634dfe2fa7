"""Each gate refuses on its own, by name, by how much and on how many rows."""

from dataclasses import replace

import numpy as np
import pytest

from ebb.contract import Contract, Gates
from ebb.errors import GateRefused
from tests.fakes.tables import contract_for, make_table
from training.evaluation.compare import Comparison
from training.evaluation.evaluate import evaluate
from training.evaluation.fair_groups import Fairness, Group, TooSmall
from training.evaluation.gates import Gate, judge, refuse_failed
from training.evaluation.measured import Measured
from training.evaluation.model import Evaluation
from training.export.parity import Parity

GROUPS = (
    Fairness(
        "g",
        (Group("a", 400, 0.3, 0.2), Group("b", 500, 0.3, 0.5)),
        parity=Measured(0.3, 0.2, 0.4),
        opportunity=Measured(0.25, 0.1, 0.4),
        opportunity_rows=270,
        calibration=Measured(0.06, 0.01, 0.09),
        not_judged=(TooSmall("c", 3),),
        too_small=1,
    ),
    Fairness("h", (), not_judged=(TooSmall("d", 3),), too_small=1),
)


def good() -> Evaluation:
    """Return a real evaluation, with the figures that the gates look at replaced by round ones."""
    inputs, labels = make_table(1_000, 1, 0)
    answers = np.where(labels == 1, 0.7, 0.1)
    return replace(
        evaluate(contract_for(1, 0), inputs, labels, answers),
        rows=1_000,
        auc=0.8,
        calibration_error=0.02,
        profit=2.0,
        profit_everyone=1.0,
        fairness=GROUPS,
    )


GOOD = good()
OPEN = Gates(
    min_auc=0.5,
    max_calibration_error=1.0,
    max_fairness_gap=None,
    min_profit_over_nothing=None,
    min_profit_over_champion=None,
    max_latency_ms=None,
    max_parity=1e-6,
)
CHAMPION = Comparison("0" * 12, profit=1.5, basis="", may_have_seen=False, rows=1_000)


def contract_with(gates: Gates) -> Contract:
    return replace(contract_for(1, 0), gates=gates)


def judged(gates: Gates, champion: Comparison | None = CHAMPION) -> tuple[Gate, ...]:
    return judge(contract_with(gates), GOOD, Parity(100_000, 1e-7), latency=0.05, champion=champion)


def test_open_gates_let_it_pass() -> None:
    gates = judged(OPEN)
    refuse_failed(gates)
    assert {gate.name for gate in gates} == set(Gates.__dataclass_fields__) - {"smallest_group"}


@pytest.mark.parametrize(
    ("gates", "sentence"),
    [
        (replace(OPEN, min_auc=0.85), r"min_auc asks at least 0.85, reached 0.8 on 1,000 rows \(0.05 short\)"),
        (
            replace(OPEN, max_calibration_error=0.01),
            r"max_calibration_error asks at most 0.01, reached 0.02 on 1,000 rows",
        ),
        (
            replace(OPEN, max_fairness_gap=0.1),
            r"max_fairness_gap asks at most 0.1, reached 0.3 on 900 rows \(0.2 too much\)",
        ),
        (
            replace(OPEN, min_profit_over_nothing=3),
            r"min_profit_over_nothing asks at least 3, reached 2 on 1,000 rows \(1 short\)",
        ),
        (
            replace(OPEN, min_profit_over_champion=1),
            r"min_profit_over_champion asks at least 1, reached 0.5 on 1,000 rows",
        ),
        (
            replace(OPEN, max_opportunity_gap=0.2),
            r"max_opportunity_gap asks at most 0.2, reached 0.25 on 270 rows \(0.05 too much\)",
        ),
        (
            replace(OPEN, max_group_calibration_error=0.05),
            r"max_group_calibration_error asks at most 0.05, reached 0.06 on 900 rows \(0.01 too much\)",
        ),
        (
            replace(OPEN, min_profit_over_everyone=1.5),
            r"min_profit_over_everyone asks at least 1.5, reached 1 on 1,000 rows \(0.5 short\)",
        ),
        (replace(OPEN, max_latency_ms=0.01), r"max_latency_ms asks at most 0.01, reached 0.05 on 1 row "),
        (replace(OPEN, max_parity=1e-8), r"max_parity asks at most 1e-08, reached 1e-07 on 100,000 rows"),
    ],
)
def test_each_gate_refuses(gates: Gates, sentence: str) -> None:
    with pytest.raises(
        GateRefused, match=f"^a gate of the contract refuses this release, and nothing was written: {sentence}"
    ):
        refuse_failed(judged(gates))


def test_every_failed_gate_is_named() -> None:
    with pytest.raises(GateRefused, match=r"^2 gates of the contract refuse.*min_auc.*; max_latency_ms"):
        refuse_failed(judged(replace(OPEN, min_auc=0.9, max_latency_ms=0.01)))


def test_without_a_champion_its_gate_is_not_judged() -> None:
    gates = judged(replace(OPEN, min_profit_over_champion=100), champion=None)
    refuse_failed(gates)
    assert next(g for g in gates if g.name == "min_profit_over_champion").verdict == "not judged"


def test_a_champion_compared_by_row_is_judged_by_that_on_those_rows() -> None:
    by_row = replace(CHAMPION, rows=600, over=Measured(-0.25, -0.5, 0.0))
    with pytest.raises(GateRefused, match=r"min_profit_over_champion asks at least 0, reached -0.25 on 600 rows"):
        refuse_failed(judged(replace(OPEN, min_profit_over_champion=0), by_row))


def test_groups_that_are_all_too_small_are_not_judged() -> None:
    strict = replace(OPEN, max_fairness_gap=0.0, max_opportunity_gap=0.0, max_group_calibration_error=0.0)
    few = replace(GOOD, fairness=GROUPS[1:])
    gates = judge(contract_with(strict), few, Parity(1, 0.0), latency=0.05, champion=None)
    refuse_failed(gates)
    verdicts = {gate.name: gate.verdict for gate in gates}
    assert [verdicts[name] for name in ("max_fairness_gap", "max_opportunity_gap", "max_group_calibration_error")] == [
        "not judged"
    ] * 3


def test_without_a_protected_feature_nothing_is_asked_of_groups() -> None:
    none = replace(GOOD, fairness=())
    gates = judge(contract_with(replace(OPEN, max_fairness_gap=0.0)), none, Parity(1, 0.0), 0.05, None)
    assert next(g for g in gates if g.name == "max_fairness_gap").verdict == "not judged"


def test_a_limit_that_is_just_reached_passes() -> None:
    gates = judged(replace(OPEN, min_auc=0.8, max_calibration_error=0.02, min_profit_over_nothing=2))
    assert all(gate.passed for gate in gates)


def test_nan_never_passes() -> None:
    assert not Gate("min_auc", float("nan"), 0.5, at_least=True, rows=1).passed
    assert not Gate("max_parity", float("nan"), 0.5, at_least=False, rows=1).passed
    assert Gate("min_auc", float("nan"), 0.5, at_least=True, rows=1).verdict == "failed"
