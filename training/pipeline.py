"""From a contract and a table to a release that serves: every step in its order."""

import hashlib
from pathlib import Path

import numpy as np

from ebb.contract import Contract
from ebb.folder import FolderReleases
from training.admission import admit
from training.cheap import cheap_draft
from training.contract_file import read_contract
from training.draft import Draft, make_draft
from training.evaluation.gates import refuse_failed
from training.folds import make_folds
from training.judgement import judge_best
from training.labelled import Labelled
from training.outcome import TrainOptions, TrainResult
from training.progress import Progress
from training.publish import publish, publish_cheap
from training.search import Search, search
from training.search.found import FAILED
from training.search.plan import given_up
from training.steps import Steps

__all__ = ["SEED", "TrainOptions", "TrainResult", "read_contract", "train"]

SEED = 0
_DEFAULTS = TrainOptions()


def train(
    contract_path: Path,
    data_path: Path,
    releases: Path,
    progress: Progress,
    options: TrainOptions = _DEFAULTS,
) -> TrainResult:
    """Train, check, write, register and name the champion, with a cheap release beside it.

    The same data, contract and seed give the same version, unless a budget cut the search short.

    Args:
        contract_path: the contract.
        data_path: the labelled table, csv or parquet.
        releases: the folder of releases; made when needed.
        progress: shown the steps.
        options: how to train.

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
    store = FolderReleases(releases)
    data, docs = admit(steps, contract, data_path, store)
    with steps.timed("search"):
        found = _searched(steps, contract, data, options, text)
    judgement = judge_best(steps, contract, data, found, store=store, seed=SEED)
    refuse_failed(judgement.gates)
    with steps.step("describe", "Describe the release"):
        draft = make_draft(contract, text, data, found, judgement, seed=SEED, notes=steps.notes)
    with steps.step("publish", "Write and register the release"):
        published = publish(draft, releases, promote=options.promote, artifacts=docs, registry_uri=options.registry_uri)
    cheap = ""
    if options.cheap and options.promote:
        with steps.step("cheap", "Make the cheap release beside it"):
            cheap = _beside(steps, contract, text, data, found, draft, releases, options)
    return TrainResult(
        contract=contract.name,
        version=draft.version,
        folder=releases / contract.name / draft.version,
        role=published.role,
        cheap=cheap,
        run_id=published.run_id,
        model_version=published.model_version,
        metrics=dict(draft.metrics),
        gates=judgement.gates,
        timings=steps.timings,
        notes=(*steps.notes, *published.notes),
        from_events=contract.events is not None,
    )


def _searched(steps: Steps, contract: Contract, data: Labelled, options: TrainOptions, text: bytes) -> Search:
    folds = make_folds(contract, data.labels, SEED, groups=data.groups, times=data.times)
    found = search(
        data.coded,
        data.labels,
        folds,
        budget=options.budget,
        seed=SEED,
        progress=steps.progress,
        groups=data.groups,
        resume=options.resume,
        key=f"{data.sha256} {hashlib.sha256(text).hexdigest()} {SEED}",
    )
    if found.skipped:
        steps.notes.append(f"the budget was too short to try these candidates: {', '.join(found.skipped)}")
    if found.resumed:
        steps.notes.append(f"the search went on after {found.resumed} trials of an interrupted one")
    if failed := [trial for trial in found.trials if trial.state == FAILED]:
        steps.notes.append(f"warning: {len(failed)} candidates failed, the first with {failed[0].why}")
    if told := given_up(found.folds):
        steps.notes.append(f"the budget was too short for the whole table: {told}")
    if unjudged := int(np.sum(~folds.held)):
        steps.notes.append(f"{unjudged:,} rows lie before the first span that is judged, and only serve to learn from")
    return found


def _beside(  # noqa: PLR0917 - all of them are the training's own
    steps: Steps,
    contract: Contract,
    text: bytes,
    data: Labelled,
    found: Search,
    champion: Draft,
    releases: Path,
    options: TrainOptions,
) -> str:
    """Make the cheap release; what forbids it is a note, never a failure."""
    cheap = cheap_draft(contract, text, data, found, champion=champion.version, seed=SEED)
    if cheap.draft is None:
        steps.notes.append(cheap.why)
        return ""
    published = publish_cheap(cheap.draft, releases, beside=champion.version, registry_uri=options.registry_uri)
    steps.notes.extend(published.notes)
    return cheap.draft.version
