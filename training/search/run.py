"""Which candidate fits this table best, judged out of fold within a budget."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from joblib import cpu_count
from numpy.typing import NDArray

from ebb.errors import DataError
from ebb.features.inputs import Inputs
from training.calibrate import Model, fit_platt
from training.fit import Candidate, Coded, code, fit_candidate
from training.folds import Folds
from training.progress import Progress
from training.search.budget import Budget
from training.search.curve import learning_curve
from training.search.found import COMPLETE, FAILED, CurvePoint, Search, Trial
from training.search.kept import kept
from training.search.plan import Plan, make_plan, narrowed
from training.search.proposals import Proposals
from training.search.rounds import Rounds
from training.search.runners import Inline, Processes, Runner
from training.search.space import shipped
from training.search.task import Material
from training.search.workplace import clear_abandoned

ROWS_WORTH_PROCESSES = 20_000
"""Below this a fit takes less than starting a process (about 1.5 s)."""


def search(
    rows: Inputs | Coded,
    labels: NDArray[np.int8],
    folds: Folds,
    *,
    budget: Budget,
    seed: int,
    progress: Progress,
    groups: NDArray[np.intp] | None = None,
    first: tuple[Candidate, ...] | None = None,
    resume: Path | None = None,
    key: str = "",
) -> Search:
    """Compare candidates out of fold.

    Without a budget the shipped candidates are compared, and the same rows and seed give the same answer on any number
    of workers. With one, the sampler proposes more until it is used up; one worker and a number of trials give the
    same answer again.

    Args:
        rows: N of them.
        labels: 0 or 1, [N].
        folds: over the rows.
        budget: what ends the search.
        seed: of folds, fits and proposals.
        progress: told after every fit.
        groups: number of each row's entity, [N]; None where every entity has one row.
        first: candidates tried first, the most useful at the beginning; None takes the shipped ones.
        resume: a folder that keeps the trials, so that a killed search goes on with them.
        key: what the kept trials are about.

    Raises:
        DataError: every candidate failed, `resume` keeps another search, or a disk is full.
    """
    whole = Material(code(rows), labels, folds, groups, seed)
    first = shipped(budget.families) if first is None else first
    clear_abandoned()
    with kept(resume):
        proposals = Proposals(first, budget.families, seed, halving=budget.open_ended, folder=resume, key=key)
        try:
            folds = narrowed(folds, _plan(whole, proposals, first, budget, progress), seed)
            used = np.flatnonzero(folds.used)
            material = replace(whole, folds=folds)
            material = material if len(used) == len(labels) else material.rows(used)
            rounds, best, curve = _rounds(material, proposals, budget, shipped=len(first), progress=progress)
        finally:
            proposals.close()
    return Search(
        best=_in_place(best, used, len(labels)),
        trials=tuple(_in_place(trial, used, len(labels)) for trial in _lean(rounds.tried.trials)),
        skipped=rounds.skipped,
        folds=folds,
        curve=curve,
        seconds=round(rounds.spent, 3),
        last_tenth=_last_tenth(rounds.tried.trials, rounds.spent) if budget.open_ended else None,
        resumed=rounds.resumed,
    )


def _plan(
    material: Material, proposals: Proposals, first: tuple[Candidate, ...], budget: Budget, progress: Progress
) -> Plan:
    """Return how much of the table is used: as an interrupted search did, since its trials were judged so."""
    plan = proposals.plan()
    if plan is None:
        every = bool(proposals.earlier()) or not first
        slots = _workers(budget)
        plan = Plan(material.folds.count) if every else make_plan(material, first[0], budget, progress, slots=slots)
        proposals.keep_plan(plan)
    return plan


def _in_place(trial: Trial, used: NDArray[np.intp], rows: int) -> Trial:
    """Return a trial with its log-odds at the places of all rows [N], NaN where they were left out."""
    if len(trial.raw) in {0, rows}:
        return trial
    raw = np.full(rows, np.nan)
    raw[used] = trial.raw
    return replace(trial, raw=raw)


def _rounds(
    material: Material, proposals: Proposals, budget: Budget, *, shipped: int, progress: Progress
) -> tuple[Rounds, Trial, tuple[CurvePoint, ...]]:
    """Run all rounds; return them with the best trial and its learning curve, every worker gone."""
    runner: Runner | None = None
    try:
        runner = _runner(material, budget)
        rounds = Rounds(material, proposals, runner, budget, shipped=shipped)
        rounds.run(progress)
        best = _best(rounds.tried.trials)
        runner.drop()
        return rounds, best, learning_curve(material, best, runner, rounds.tried.points(best), seconds=rounds.left)
    finally:
        if runner is not None:
            runner.close()


def fit_best(
    rows: Inputs | Coded, labels: NDArray[np.int8], found: Search, seed: int, groups: NDArray[np.intp] | None = None
) -> Model:
    """Fit the winner on all rows that the search used; its calibration comes from its out-of-fold log-odds."""
    held, used = found.folds.held, found.folds.used
    learned, known = (rows, labels) if used.all() else (rows.rows(used), labels[used])
    groups = groups if groups is None or used.all() else groups[used]
    fitted = fit_candidate(found.best.candidate, learned, known, seed=seed, groups=groups)
    return Model(fitted, fit_platt(found.best.raw[held], labels[held]))


def _runner(material: Material, budget: Budget) -> Runner:
    if len(material.labels) < ROWS_WORTH_PROCESSES:
        return Inline(material)
    workers = _workers(budget)
    if workers == 1 and budget.seconds is None:
        return Inline(material)
    return Processes(material, workers)


def _workers(budget: Budget) -> int:
    return cpu_count() if budget.workers is None else budget.workers


def _best(trials: list[Trial]) -> Trial:
    completed = [trial for trial in trials if trial.state == COMPLETE and len(trial.raw)]
    if not completed:
        failed = [trial for trial in trials if trial.state == FAILED]
        why = f"{failed[0].candidate.name!r} with {failed[0].why}" if failed else "none ran to its end"
        raise DataError(f"every candidate of the search failed, the first of them {why}: nothing was written")
    return min(completed, key=lambda trial: trial.log_loss)


def _lean(trials: list[Trial]) -> tuple[Trial, ...]:
    return tuple(sorted(trials, key=lambda trial: trial.number))


def _last_tenth(trials: list[Trial], spent: float) -> float | None:
    losses = [(trial.at, trial.log_loss) for trial in trials if trial.state == COMPLETE]
    before = min((loss for at, loss in losses if at <= 0.9 * spent), default=math.nan)
    return None if math.isnan(before) else before - min(loss for _, loss in losses)
