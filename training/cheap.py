"""The cheap release beside the champion: a line on the same rows, judged on the same folds, a whole release of its own.

It answers easy cases for a fraction of the champion's price; hard ones go on to the champion (`ebb route set --cheap`).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ebb.contract.model import Contract
from ebb.errors import DataError, EbbError
from ebb.folder import FolderReleases
from training.draft import Draft, make_draft
from training.evaluation.gates import Gate
from training.fit.logistic import LOGISTIC
from training.judgement import Judgement, judge_best
from training.labelled import Labelled
from training.progress import Silent
from training.search import LINE, Search, Trial
from training.search.found import COMPLETE
from training.search.judge import judged
from training.search.task import Material, Task, perform
from training.steps import Steps


@dataclass(frozen=True)
class CheapDraft:
    """What became of the cheap release.

    Attributes:
        draft: all its files but the manifest; None where there is none.
        why: there is none; else empty.
        gates: of the contract, with their verdicts; empty where it did not get so far. What it earns beside a champion
            is not judged: it is not meant to beat one.
    """

    draft: Draft | None
    why: str = ""
    gates: tuple[Gate, ...] = ()


class _NoRival(FolderReleases):
    """A store in which nobody has to be beaten."""

    def champion(self, contract: str) -> str | None:  # noqa: ARG002 - the port's name
        """Return None."""
        return None


def cheap_draft(
    contract: Contract, text: bytes, data: Labelled, found: Search, *, champion: str, seed: int
) -> CheapDraft:
    """Make the cheap release of a training, as carefully as its champion; never fail for its sake.

    Args:
        contract: of both releases.
        text: the exact bytes of its file.
        data: N labelled rows.
        found: by the search on the same rows: its best line is taken, else the shipped one is judged on its folds.
        champion: the version beside which it is to stand, for the card.
        seed: of fits and draws.
    """
    if found.best.candidate.family == LOGISTIC:
        return CheapDraft(None, "no cheap release stands beside the champion, which is a line itself")
    try:
        line = found.best_of(LOGISTIC)
        trial = line if line is not None and len(line.raw) else _tried(data, found, seed)
        ours = replace(found, best=trial, curve=())
        judgement = judge_best(Steps(Silent()), contract, data, ours, store=_NoRival(Path()), seed=seed)
    except EbbError as refused:
        return CheapDraft(None, f"warning: no cheap release stands beside the champion: {refused}")
    if failed := [gate.name for gate in judgement.gates if not gate.passed]:
        why = f"no cheap release stands beside the champion: a line does not pass {', '.join(failed)}"
        return CheapDraft(None, why, judgement.gates)
    notes = [_told(champion, found, trial, judgement)]
    draft = make_draft(contract, text, data, ours, judgement, seed=seed, notes=notes, beside=champion)
    return CheapDraft(draft, "", judgement.gates)


def _tried(data: Labelled, found: Search, seed: int) -> Trial:
    """Judge the shipped line on the search's folds, which had no time for it.

    Raises:
        DataError: it cannot be fitted.
    """
    material = Material(data.coded, data.labels, found.folds, data.groups, seed)
    raw = np.full(len(data.labels), np.nan)
    seconds = 0.0
    for k in range(found.folds.count):
        done = perform(material, Task(len(found.trials), LINE, k))
        if done.raw is None:
            raise DataError(f"a line could not be fitted: {done.why}")
        raw[found.folds.held_out(k)] = done.raw
        seconds += done.seconds
    log_loss, auc = judged(raw, data.labels, found.folds)
    return Trial(len(found.trials), LINE, COMPLETE, log_loss, auc, seconds, found.seconds, raw=raw)


def _told(champion: str, found: Search, trial: Trial, judgement: Judgement) -> str:
    return (
        f"this is the cheap release beside the champion {champion}: a line of {len(judgement.graph) / 1024:.0f} KB "
        f"that answers in {1000 * judgement.latency:.0f} us; its AUC is {trial.auc:.4f}, and the champion's "
        f"{found.best.auc:.4f} on the same folds"
    )
