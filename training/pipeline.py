"""From a contract and a table to a release that serves: every step in its order."""

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
from training.judgement import Labelled, judge_best
from training.progress import Progress
from training.publish import publish
from training.search import search
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
    contract_path: Path, data_path: Path, releases: Path, seconds: float | None, progress: Progress
) -> TrainResult:
    """Train, check, write, register and name the champion.

    The same data, contract and seed give the same version, unless a budget cut the search short.

    Args:
        contract_path: the contract.
        data_path: the labelled table, csv or parquet.
        releases: the folder of releases; made when needed.
        seconds: budget of the search; None is no limit.
        progress: shown the steps.

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
        found = search(data.inputs, data.labels, seconds=seconds, seed=SEED, progress=progress, groups=data.groups)
    if found.skipped:
        steps.notes.append(f"the budget was too short to try these sizes of trees: {', '.join(found.skipped)}")
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
        steps.notes.append(f"{dataset.rows:,} rows of {entities:,} entities: no entity stands in two folds")
    return Labelled(dataset.inputs, dataset.labels, dataset.sha256, dataset.groups)


def _told(finding: Finding) -> str:
    mark = "warning: " if "leak" in finding.reason else ""
    return f"{mark}column {finding.column!r} {finding.reason}"
