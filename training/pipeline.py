"""From a contract and a table to a release that serves: every step in its order."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ebb.contract import Contract
from ebb.errors import DataError
from ebb.folder import FolderReleases
from training.contract_file import read_contract
from training.dataset import read_dataset
from training.draft import make_draft
from training.evaluation.gates import Gate, refuse_failed
from training.folds import make_folds
from training.judgement import judge_best
from training.labelled import Labelled
from training.progress import Progress
from training.publish import publish
from training.search import Budget, Search, search
from training.search.found import FAILED
from training.steps import Steps
from training.validation import Finding, raise_on_critical, validate

__all__ = ["SEED", "TrainResult", "read_contract", "train"]

SEED = 0


@dataclass(frozen=True)
class TrainResult:
    """What a training made.

    Attributes:
        contract: the contract's name.
        version: the release's.
        folder: where the release lies.
        run_id: MLflow run; empty where the registry was away.
        model_version: number in the registry; empty likewise.
        metrics: as in `metrics.json`.
        gates: every gate with its verdict.
        timings: seconds by step.
        notes: sentences worth saying to people.
        from_events: whether `ebb build` makes the tables of its contract.
    """

    contract: str
    version: str
    folder: Path
    run_id: str
    model_version: str
    metrics: dict[str, Any]
    gates: tuple[Gate, ...]
    timings: dict[str, float]
    notes: tuple[str, ...]
    from_events: bool = False

    @property
    def release(self) -> str:
        """`contract/version`."""
        return f"{self.contract}/{self.version}"


def train(
    contract_path: Path,
    data_path: Path,
    releases: Path,
    progress: Progress,
    *,
    budget: Budget | None = None,
    resume: Path | None = None,
) -> TrainResult:
    """Train, check, write, register and name the champion.

    The same data, contract and seed give the same version, unless a budget cut the search short.

    Args:
        contract_path: the contract.
        data_path: the labelled table, csv or parquet.
        releases: the folder of releases; made when needed.
        progress: shown the steps.
        budget: of the search; None compares the shipped candidates.
        resume: a folder that keeps the search's trials: after an interrupt, the same call goes on with them.

    Raises:
        ContractError: the contract cannot be used.
        DataError: the table does not fit; `GateRefused` where a gate refuses the release.
        ReleaseError: the release cannot be written; nothing of it is kept. Where only the champion could not be named,
            the whole release stays, and training again names it.
    """
    contract, text = read_contract(contract_path)
    steps = Steps(progress)
    if remaining := text.count(b"REVIEW"):
        steps.notes.append(f"warning: {remaining} lines of {contract_path} are still marked REVIEW")
    data = _accepted(steps, contract, data_path)
    with steps.timed("search"):
        found = _searched(steps, contract, data, budget or Budget(), resume=resume, text=text)
    judgement = judge_best(steps, contract, data, found, store=FolderReleases(releases), seed=SEED)
    refuse_failed(judgement.gates)
    with steps.step("describe", "Describe the release"):
        draft = make_draft(contract, text, data, found, judgement, seed=SEED, notes=steps.notes)
    with steps.step("publish", "Write and register the release"):
        published = publish(draft, releases)
    return TrainResult(
        contract=contract.name,
        version=draft.version,
        folder=releases / contract.name / draft.version,
        run_id=published.run_id,
        model_version=published.model_version,
        metrics=dict(draft.metrics),
        gates=judgement.gates,
        timings=steps.timings,
        notes=(*steps.notes, *published.notes),
        from_events=contract.events is not None,
    )


def _searched(
    steps: Steps, contract: Contract, data: Labelled, budget: Budget, *, resume: Path | None, text: bytes
) -> Search:
    folds = make_folds(contract, data.labels, SEED, groups=data.groups, times=data.times)
    found = search(
        data.coded,
        data.labels,
        folds,
        budget=budget,
        seed=SEED,
        progress=steps.progress,
        groups=data.groups,
        resume=resume,
        key=f"{data.sha256} {hashlib.sha256(text).hexdigest()} {SEED}",
    )
    if found.skipped:
        steps.notes.append(f"the budget was too short to try these candidates: {', '.join(found.skipped)}")
    if found.resumed:
        steps.notes.append(f"the search went on after {found.resumed} trials of an interrupted one")
    if failed := [trial for trial in found.trials if trial.state == FAILED]:
        steps.notes.append(f"warning: {len(failed)} candidates failed, the first with {failed[0].why}")
    if unjudged := int(np.sum(~folds.held)):
        steps.notes.append(f"{unjudged:,} rows lie before the first span that is judged, and only serve to learn from")
    return found


def _accepted(steps: Steps, contract: Contract, data_path: Path) -> Labelled:
    with steps.timed("read"):
        dataset = read_dataset(data_path, contract, progress=steps.progress)
    if dataset.labels is None:
        raise DataError(f"{data_path} has no labels to learn from")
    with steps.step("validate", "Validate the data"):
        findings = validate(contract, dataset, str(data_path))
        raise_on_critical(findings)
    steps.notes.extend([*dataset.notes, *map(_told, findings)])
    if dataset.groups is not None:
        entities = int(np.max(dataset.groups)) + 1
        kept = (
            "spans of time judge, so an entity may stand in several"
            if contract.temporal
            else "none stands in two folds"
        )
        steps.notes.append(f"{dataset.rows:,} rows of {entities:,} entities: {kept}")
    return Labelled(dataset.inputs, dataset.labels, dataset.sha256, dataset.groups, dataset.event_times, dataset.texts)


def _told(finding: Finding) -> str:
    mark = "warning: " if "leak" in finding.reason else ""
    return f"{mark}column {finding.column!r} {finding.reason}"
