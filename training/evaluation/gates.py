"""The contract's release gates: what was reached beside what is asked, and the refusal that names every miss."""

from collections.abc import Sequence
from dataclasses import dataclass

from ebb.contract.model import Contract
from ebb.errors import GateRefused
from training.evaluation.compare import Comparison
from training.evaluation.evaluate import Evaluation
from training.export.parity import Parity


@dataclass(frozen=True)
class Gate:
    """One gate.

    Attributes:
        name: as in the contract.
        value: what was reached; None where it could not be measured.
        limit: what the contract asks; None is not judged.
        at_least: whether the value must not be below the limit, else not above it.
        rows: on how many rows the value was measured.
    """

    name: str
    value: float | None
    limit: float | None
    at_least: bool
    rows: int

    @property
    def passed(self) -> bool:
        """Whether the release may be written as far as this gate goes; a NaN never passes."""
        if self.limit is None or self.value is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def verdict(self) -> str:
        """`passed`, `failed` or `not judged`, for people."""
        if self.limit is None or self.value is None:
            return "not judged"
        return "passed" if self.passed else "failed"


def judge(
    contract: Contract, evaluation: Evaluation, parity: Parity, latency: float, champion: Comparison | None
) -> tuple[Gate, ...]:
    """Lay the measurements beside the contract's gates.

    Args:
        contract: has the limits.
        evaluation: of the out-of-fold probabilities.
        parity: of graph and scikit-learn.
        latency: median milliseconds of a single row.
        champion: what the current champion earns; None where there is none to compare with.
    """
    gates, rows = contract.gates, evaluation.rows
    widest = max(evaluation.fairness, key=lambda judged: judged.gap, default=None)
    over_champion = None if champion is None else evaluation.profit - champion.profit
    gap, gap_rows = (None, 0) if widest is None else (widest.gap, widest.rows)
    return (
        Gate("min_auc", evaluation.auc, gates.min_auc, at_least=True, rows=rows),
        Gate(
            "max_calibration_error",
            evaluation.calibration_error,
            gates.max_calibration_error,
            at_least=False,
            rows=rows,
        ),
        Gate("max_fairness_gap", gap, gates.max_fairness_gap, at_least=False, rows=gap_rows),
        Gate("min_profit_over_nothing", evaluation.profit, gates.min_profit_over_nothing, at_least=True, rows=rows),
        Gate("min_profit_over_champion", over_champion, gates.min_profit_over_champion, at_least=True, rows=rows),
        Gate("max_latency_ms", latency, gates.max_latency_ms, at_least=False, rows=1),
        Gate("max_parity", parity.largest, gates.max_parity, at_least=False, rows=parity.rows),
    )


def refuse_failed(gates: Sequence[Gate]) -> None:
    """Let a release pass, or not.

    Raises:
        GateRefused: a gate failed; names every one with by how much and on how many rows.
    """
    failed = [gate for gate in gates if not gate.passed]
    if failed:
        which = "a gate of the contract refuses" if len(failed) == 1 else f"{len(failed)} gates of the contract refuse"
        reasons = "; ".join(_reason(gate) for gate in failed)
        raise GateRefused(
            f"{which} this release, and nothing was written: {reasons}. "
            "Bring better data or features, or review the gates in the contract",
            gates,
        )


def _reason(gate: Gate) -> str:
    value, limit = gate.value or 0.0, gate.limit or 0.0
    rows = "1 row" if gate.rows == 1 else f"{gate.rows:,} rows"
    bound, missed = ("at least", "short") if gate.at_least else ("at most", "too much")
    return f"{gate.name} asks {bound} {limit:.6g}, reached {value:.6g} on {rows} ({abs(value - limit):.3g} {missed})"
