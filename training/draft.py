"""The files of a release, all but its manifest, made from a model that passed its gates."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ebb.contract.model import Contract
from ebb.release.golden import golden_to_bytes
from ebb.release.manifest import CARD, CONTRACT, GOLDEN, METRICS, MODEL, REFERENCE, digest, version_of
from ebb.release.reference import make_reference
from ebb.routing.table import CHALLENGER, CHEAP
from training.card import Story, card, table_of
from training.export.golden import make_golden
from training.folds import Folds
from training.judgement import Judgement
from training.labelled import Labelled
from training.provenance import git_commit, library_versions
from training.search import Search, Trial
from training.search.plan import given_up

_BASIS = (
    "pooled over five stratified folds, each row answered by a model and a calibration that had not seen it; the "
    "candidate was chosen on the same folds, which flatters the figures a little"
)
_FEWER_BASIS = (
    "from {count} of {of} stratified folds, each row answered by a model and a calibration that had not seen it; the "
    "candidate was chosen on the same rows, which flatters the figures a little"
)
_TEMPORAL_BASIS = (
    "pooled over {count} consecutive spans of time, each answered by a model of rows whose label was known before the "
    "span began; the candidate was chosen on the same spans, which flatters the figures a little"
)


@dataclass(frozen=True)
class Draft:
    """A release that is ready but for its manifest.

    Attributes:
        contract: the contract's name.
        data_sha256: of the training data.
        files: content by name, without the manifest.
        parameters: of the fit, for the registry.
        metrics: as in `metrics.json`.
    """

    contract: str
    data_sha256: str
    files: Mapping[str, bytes]
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def version(self) -> str:
        """The release's version."""
        return version_of(self.files)


def make_draft(
    contract: Contract,
    text: bytes,
    data: Labelled,
    found: Search,
    judgement: Judgement,
    *,
    seed: int,
    notes: Sequence[str] = (),
    beside: str = "",
) -> Draft:
    """Make a release's files.

    Args:
        contract: of the release.
        text: the exact bytes of its file.
        data: N labelled rows; what the search left out of them is left out of the reference too.
        found: by the search on the same rows.
        judgement: the model and its measurements.
        seed: of the training.
        notes: what people should know of data and training.
        beside: the release whose cheap one this is; empty where it is made for the champion's own place.
    """
    used = found.folds.used
    learned = data if used.all() else data.rows(used)
    scores = judgement.scorer.score(learned.inputs)
    reference = make_reference(contract, learned.inputs, learned.labels, scores)
    content = {MODEL: judgement.graph, CONTRACT: text, REFERENCE: reference.to_bytes()}
    metrics = {**_metrics(judgement, found, notes), "made_as": _made_as(beside)}
    golden = make_golden(contract, learned.inputs, judgement.model, judgement.scorer, seed)
    story = Story(
        contract=contract,
        contract_sha256=digest(text),
        version=version_of(content),
        table=table_of(learned, reference),
        metrics=metrics,
        git_commit=git_commit(),
        libraries=library_versions(),
    )
    content[GOLDEN] = golden_to_bytes(golden)
    content[METRICS] = (json.dumps(metrics, indent=2, ensure_ascii=False) + "\n").encode()
    content[CARD] = card(story).encode()
    chosen = asdict(found.best.candidate)
    parameters = {**chosen, "seed": seed, "rows": len(learned.labels), "features": len(contract.features)}
    return Draft(contract.name, data.sha256, content, parameters, metrics)


def _metrics(judgement: Judgement, found: Search, notes: Sequence[str]) -> dict[str, Any]:
    evaluation = asdict(judgement.evaluation)
    for judged, told in zip(judgement.evaluation.fairness, evaluation["fairness"], strict=True):
        told["gap"] = judged.gap
    return {
        **evaluation,
        "latency_ms": judgement.latency,
        "parity": asdict(judgement.parity),
        "champion": None if judgement.champion is None else asdict(judgement.champion),
        "calibration": asdict(judgement.model.platt),
        "search": _told(found),
        "gates": [{**asdict(gate), "verdict": gate.verdict} for gate in judgement.gates],
        "basis": _basis(found.folds),
        "notes": list(notes),
    }


def _basis(folds: Folds) -> str:
    if folds.times is not None:
        return _TEMPORAL_BASIS.format(count=folds.count)
    return _BASIS if folds.count == folds.of else _FEWER_BASIS.format(count=folds.count, of=folds.of)


def _made_as(beside: str) -> dict[str, str]:
    """Return what a release is made to be: which role it has later is told by the store, and never by a release."""
    return {"role": CHEAP, "beside": beside} if beside else {"role": CHALLENGER}


def _told(found: Search) -> dict[str, Any]:
    states = Counter(trial.state for trial in found.trials)
    return {
        "chosen": asdict(found.best.candidate),
        "skipped": list(found.skipped),
        "seconds": found.seconds,
        "last_tenth": found.last_tenth,
        "resumed": found.resumed,
        "folds": {
            "count": found.folds.count,
            "of": found.folds.of,
            "temporal": found.folds.times is not None,
        },
        "rows": {"used": int(found.folds.used.sum()), "of": len(found.folds.fold)},
        "given_up": given_up(found.folds),
        "states": dict(states),
        "learning_curve": [asdict(point) for point in found.curve],
        "trials": [_told_trial(trial) for trial in found.trials],
    }


def _told_trial(trial: Trial) -> dict[str, Any]:
    known = trial.log_loss == trial.log_loss
    return {
        "name": trial.candidate.name,
        "family": trial.candidate.family,
        "state": trial.state,
        "log_loss": trial.log_loss if known else None,
        "auc": trial.auc if known else None,
        "seconds": round(trial.seconds, 3),
        "at": round(trial.at, 3),
        **({"why": trial.why} if trial.why else {}),
    }
