"""Each gate refuses on its own, by name, by how much and on how many rows."""

from dataclasses import replace

import pytest

from ebb.contract import Contract, Gates
from ebb.errors import GateRefused
from tests.fakes.tables import contract_for
from training.evaluation.compare import Comparison
from training.evaluation.evaluate import Evaluation
from training.evaluation.fairness import Fairness, Group
from training.evaluation.gates import Gate, judge, refuse_failed
from training.export.parity import Parity

GOOD = Evaluation(
    rows=1_000,
    class_rate=0.3,
    mean_probability=0.3,
    auc=0.8,
    calibration_error=0.02,
    brier=0.1,
    log_loss=0.4,
    base_rate_log_loss=0.6,
    threshold=0.2,
    acted_on=0.3,
    profit=2.0,
    profit_everyone=1.0,
    fairness=(Fairness("g", (Group("a", 400, 0.3, 0.2), Group("b", 500, 0.3, 0.5))), Fairness("h", ())),
)
OPEN = Gates(
    min_auc=0.5,
    max_calibration_error=1.0,
    max_fairness_gap=None,
    min_profit_over_nothing=None,
    min_profit_over_champion=None,
    max_latency_ms=None,
    max_parity=1e-6,
)
CHAMPION = Comparison("0" * 12, profit=1.5, basis="", may_have_seen=False)


def contract_with(gates: Gates) -> Contract:
    return replace(contract_for(1, 0), gates=gates)


def judged(gates: Gates, champion: Comparison | None = CHAMPION) -> tuple[Gate, ...]:
    return judge(contract_with(gates), GOOD, Parity(100_000, 1e-7), latency=0.05, champion=champion)


def test_open_gates_let_it_pass() -> None:
    gates = judged(OPEN)
    refuse_failed(gates)
    assert {gate.name for gate in gates} == set(Gates.__dataclass_fields__)


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


def test_a_limit_that_is_just_reached_passes() -> None:
    gates = judged(replace(OPEN, min_auc=0.8, max_calibration_error=0.02, min_profit_over_nothing=2))
    assert all(gate.passed for gate in gates)


def test_nan_never_passes() -> None:
    assert not Gate("min_auc", float("nan"), 0.5, at_least=True, rows=1).passed
    assert not Gate("max_parity", float("nan"), 0.5, at_least=False, rows=1).passed
    assert Gate("min_auc", float("nan"), 0.5, at_least=True, rows=1).verdict == "failed"
