"""The contract's release gates: what was reached beside what is asked, and the refusal that names every miss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ebb.contract.model import Contract, Gates
from ebb.errors import GateRefused
from training.evaluation.compare import Comparison
from training.evaluation.fair_groups import Fairness
from training.evaluation.model import Evaluation
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
    limits, rows = contract.gates, evaluation.rows
    over_champion, champion_rows = _over_champion(evaluation, champion)
    over_everyone = evaluation.profit - evaluation.profit_everyone
    profit = evaluation.profit
    return (
        Gate("min_auc", evaluation.auc, limits.min_auc, at_least=True, rows=rows),
        _at_most("max_calibration_error", evaluation.calibration_error, limits.max_calibration_error, rows),
        *_gates_of_groups(limits, evaluation.fairness),
        Gate("min_profit_over_nothing", profit, limits.min_profit_over_nothing, at_least=True, rows=rows),
        Gate("min_profit_over_everyone", over_everyone, limits.min_profit_over_everyone, at_least=True, rows=rows),
        Gate(
            "min_profit_over_champion",
            over_champion,
            limits.min_profit_over_champion,
            at_least=True,
            rows=champion_rows,
        ),
        _at_most("max_latency_ms", latency, limits.max_latency_ms, 1),
        _at_most("max_parity", parity.largest, limits.max_parity, parity.rows),
    )


def _at_most(name: str, value: float | None, limit: float | None, rows: int) -> Gate:
    return Gate(name, value, limit, at_least=False, rows=rows)


def _gates_of_groups(limits: Gates, fairness: Sequence[Fairness]) -> Iterator[Gate]:
    """Yield the gates of protected features; each judges the feature that is furthest off, if any could be judged."""
    measured: dict[str, list[tuple[float, int]]] = {
        "max_fairness_gap": [(f.gap, f.rows) for f in fairness if len(f.groups) > 1],
        "max_opportunity_gap": [(f.opportunity.value, f.opportunity_rows) for f in fairness if f.opportunity],
        "max_group_calibration_error": [(f.calibration.value, f.rows) for f in fairness if f.calibration],
    }
    for name, found in measured.items():
        value, rows = max(found, default=(None, 0))
        yield _at_most(name, value, getattr(limits, name), rows)


def _over_champion(evaluation: Evaluation, champion: Comparison | None) -> tuple[float | None, int]:
    """Return the profit over the champion's and on how many rows it was had: paired by row where that is known."""
    if champion is None:
        return None, evaluation.rows
    if champion.over is None:
        return evaluation.profit - champion.profit, evaluation.rows
    return champion.over.value, champion.rows


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
