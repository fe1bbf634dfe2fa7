"""A model fitted on all rows, exported, proved equal to its graph and judged by the contract."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from ebb.ports import ReleaseStore
from training.calibrate import Model, crossfit_platt
from training.evaluation.compare import Comparison, Ours, compare_with_champion
from training.evaluation.evaluate import Evaluation, evaluate, latency_ms
from training.evaluation.gates import Gate, judge
from training.evaluation.importance import importance
from training.evaluation.leakage import leakage
from training.evaluation.robustness import robustness
from training.export import export
from training.export.parity import Parity, parity
from training.fit import Coded
from training.labelled import Labelled
from training.search import Search, fit_best
from training.steps import Steps


@dataclass(frozen=True)
class Judgement:
    """A model with its graph and all that was measured of it.

    Attributes:
        model: as fitted by scikit-learn.
        graph: its ONNX bytes.
        scorer: the graph, ready to score.
        probabilities: out of fold, [N]; NaN in rows that were never held out, which only happens with folds by time.
        evaluation: of those.
        parity: of graph and model.
        latency: median milliseconds of one row.
        champion: what the current champion earns; None where there is none to compare with.
        gates: with their verdicts.
    """

    model: Model
    graph: bytes
    scorer: OnnxScorer
    probabilities: NDArray[np.float64]
    evaluation: Evaluation
    parity: Parity
    latency: float
    champion: Comparison | None
    gates: tuple[Gate, ...]


def judge_best(
    steps: Steps, contract: Contract, data: Labelled, found: Search, *, store: ReleaseStore, seed: int
) -> Judgement:
    """Fit the search's winner on all rows, export it and measure it.

    Args:
        steps: shows and times; takes notes.
        contract: has the gates.
        data: N labelled rows.
        found: by the search on the same rows.
        store: has the champion, if there is one.
        seed: of fit and draws.

    Raises:
        GateRefused: graph and model differ; the other gates are only judged here, not enforced.
    """
    with steps.step("fit", "Fit on all rows"):
        model = fit_best(data.coded, data.labels, found, seed, data.groups)
    with steps.step("export", "Export one ONNX graph"):
        graph = export(model, len(contract.numbers), len(contract.categories))
        scorer = OnnxScorer(graph)
    with steps.step("parity", "Prove graph and model equal"):
        closeness = parity(model, scorer, contract, data.inputs, seed=seed)
    with steps.step("evaluate", "Judge what it is worth"):
        by_time = found.folds.times is not None
        probabilities = crossfit_platt(found.best.raw, data.labels, found.fold, temporal=by_time)
        held = _held(data, found, probabilities)
        weights = importance(model.fitted, len(contract.features))
        evaluation = _evaluated(contract, held, scorer, weights, seed)
        latency = latency_ms(scorer, data.inputs)
        ours = Ours(held.coded, held.probabilities, evaluation.segments, held.groups, weights, seed)
        champion, note = compare_with_champion(store, contract, held.inputs, held.labels, data.sha256, ours=ours)
    if note:
        steps.notes.append(note)
    gates = judge(contract, evaluation, closeness, latency, champion)
    return Judgement(model, graph, scorer, probabilities, evaluation, closeness, latency, champion, gates)


@dataclass(frozen=True)
class _Held:
    """The M rows that were held out, with what was answered to them out of fold; see `Labelled`."""

    inputs: Inputs
    coded: Coded
    labels: NDArray[np.int8]
    groups: NDArray[np.intp] | None
    fold: NDArray[np.int8]
    by_time: bool
    raw: NDArray[np.float64]
    probabilities: NDArray[np.float64]


def _held(data: Labelled, found: Search, probabilities: NDArray[np.float64]) -> _Held:
    held = found.folds.held
    rows = slice(None) if held.all() else held  # a slice copies nothing
    return _Held(
        data.inputs.rows(rows),
        data.coded.rows(rows),
        data.labels[rows],
        None if data.groups is None else data.groups[rows],
        found.fold[rows],
        found.folds.times is not None,
        found.best.raw[rows],
        probabilities[rows],
    )


def _evaluated(
    contract: Contract, held: _Held, scorer: OnnxScorer, weights: NDArray[np.float64] | None, seed: int
) -> Evaluation:
    evaluation = evaluate(
        contract,
        held.coded,
        held.labels,
        held.probabilities,
        raw=held.raw,
        groups=held.groups,
        importance=weights,
        seed=seed,
    )
    strained = robustness(contract, held.inputs, held.labels, scorer, importance=weights, seed=seed)
    leaks = leakage(
        contract,
        held.coded,
        held.labels,
        held.fold,
        by_time=held.by_time,
        groups=held.groups,
        importance=weights,
    )
    return replace(evaluation, robustness=strained, leakage=leaks)
