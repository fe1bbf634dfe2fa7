"""A model fitted on all rows, exported, proved equal to its graph and judged by the contract."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from ebb.ports import ReleaseStore
from training.calibrate import Model, crossfit_platt
from training.evaluation.compare import Comparison, compare_with_champion
from training.evaluation.evaluate import Evaluation, evaluate, latency_ms
from training.evaluation.gates import Gate, judge
from training.export import export
from training.export.parity import Parity, parity
from training.search import Search, fit_best
from training.steps import Steps


@dataclass(frozen=True)
class Labelled:
    """Accepted rows with their labels.

    Attributes:
        inputs: N rows.
        labels: 0 or 1, [N].
        sha256: of the accepted content.
        groups: number of each row's entity, [N]; None where every entity has one row.
    """

    inputs: Inputs
    labels: NDArray[np.int8]
    sha256: str
    groups: NDArray[np.intp] | None = None


@dataclass(frozen=True)
class Judgement:
    """A model with its graph and all that was measured of it.

    Attributes:
        model: as fitted by scikit-learn.
        graph: its ONNX bytes.
        scorer: the graph, ready to score.
        probabilities: out of fold, [N].
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
        model = fit_best(data.inputs, data.labels, found, seed)
    with steps.step("export", "Export one ONNX graph"):
        graph = export(model, len(contract.numbers), len(contract.categories))
        scorer = OnnxScorer(graph)
    with steps.step("parity", "Prove graph and model equal"):
        closeness = parity(model, scorer, contract, data.inputs, seed=seed)
    with steps.step("evaluate", "Judge what it is worth"):
        probabilities = crossfit_platt(found.best.raw, data.labels, found.fold)
        evaluation = evaluate(contract, data.inputs, data.labels, probabilities)
        latency = latency_ms(scorer, data.inputs)
        champion, note = compare_with_champion(store, contract, data.inputs, data.labels, data.sha256)
    if note:
        steps.notes.append(note)
    gates = judge(contract, evaluation, closeness, latency, champion)
    return Judgement(model, graph, scorer, probabilities, evaluation, closeness, latency, champion, gates)
