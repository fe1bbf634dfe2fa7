"""A small training up to its model card, and the story of that card to be told otherwise."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ebb.contract import Contract, parse_contract
from ebb.onnx import OnnxScorer
from ebb.release.reference import Reference
from tests.fakes.made_contracts import contract_text
from tests.fakes.searched import searched
from tests.fakes.tables import TINY, fit_model, make_table
from training.calibrate import crossfit_platt
from training.card import Story, table_of
from training.draft import Draft, make_draft
from training.evaluation.compare import Comparison
from training.evaluation.evaluate import evaluate
from training.evaluation.gates import judge
from training.export import export
from training.export.parity import Parity
from training.judgement import Judgement
from training.labelled import Labelled

NOTE = "a note with <script>alert(1)</script> in it"
TEXT = contract_text(
    'name = "n0"; kind = "number"; missing = true; owner = "billing"; personal = true',
    'name = "c0"; kind = "category"; missing = true; protected = true; description = "<b>&"',
)


@cache
def drafted(note: str = NOTE) -> tuple[Draft, Contract, Labelled]:
    """Return the draft of a small training, which has a champion and no robustness or leakage."""
    contract = parse_contract(TEXT)
    inputs, labels = make_table(500, 1, 1)
    found = searched(inputs, labels, [TINY])
    model = fit_model(inputs, labels)
    graph = export(model, 1, 1)
    probabilities = crossfit_platt(found.best.raw, labels, found.fold)
    evaluation = evaluate(contract, inputs, labels, probabilities, raw=found.best.raw)
    champion = Comparison("0123456789ab", 1.25, "its own figure", may_have_seen=False, rows=500)
    close = Parity(1_000, 1e-7)
    gates = judge(contract, evaluation, close, 0.02, champion)
    judgement = Judgement(
        model, graph, OnnxScorer(graph), probabilities, evaluation, close, latency=0.02, champion=champion, gates=gates
    )
    data = Labelled(inputs, labels, "f" * 64)
    draft = make_draft(contract, TEXT.encode(), data, found, judgement, seed=0, notes=[note])
    return draft, contract, data


def story(**metrics: Any) -> Story:
    """Return the story of the small training, with these parts of its metrics in the place of its own."""
    draft, contract, data = drafted()
    told = {**json.loads(draft.files["metrics.json"]), **metrics}
    return Story(
        contract,
        "e" * 64,
        draft.version,
        table_of(data, Reference.from_bytes(draft.files["reference.json"])),
        told,
        "abc123",
        {"numpy": "2.0"},
    )


def with_contract(told: Story, text: str) -> Story:
    """Return a story of another contract."""
    return replace(told, contract=parse_contract(text))


def strain(
    feature: str, what: str = "missing", *, changed: float = 0.3, auc_lost: float | None = 0.1
) -> dict[str, Any]:
    """Return a strain as in `metrics.json`."""
    return {
        "feature": feature,
        "what": what,
        "touched": 1.0,
        "auc_lost": auc_lost,
        "profit_lost": 2.5,
        "decisions_changed": changed,
    }


def robustness(*strains: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was strained, as in `metrics.json`."""
    return {"rows": 1000, "features": 8, "of": 30, "strains": list(strains)}


def trial(name: str, log_loss: float | None, state: str = "complete", *, at: float = 1.0) -> dict[str, Any]:
    """Return a trial as in `metrics.json`."""
    told = {"name": name, "family": "boosted", "state": state, "log_loss": log_loss, "auc": None, "seconds": 1.0}
    return {**told, "at": at, **({"why": "memory <b>"} if state == "failed" else {})}


def search_of(*trials: Mapping[str, Any], curve: Sequence[tuple[int, float]] = ()) -> dict[str, Any]:
    """Return a search as in `metrics.json`."""
    states: dict[str, int] = {}
    for one in trials:
        states[one["state"]] = states.get(one["state"], 0) + 1
    own = story().metrics["search"]
    points = [{"rows": rows, "log_loss": log_loss, "auc": 0.8} for rows, log_loss in curve]
    return {**own, "trials": list(trials), "states": states, "learning_curve": points}
