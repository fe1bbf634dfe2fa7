"""What to try next, and what to give up: optuna's TPE and asynchronous successive halving (ASHA).

Sources: Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011; Li et al., "A system for massively
parallel hyperparameter tuning", MLSys 2020. A resumed search keeps its trials in one sqlite file.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from ebb.errors import DataError
from training.fit import Candidate
from training.search.found import COMPLETE, FAILED, PRUNED, STOPPED, Trial
from training.search.kept import clear_partial, read_raw, storage, write_raw
from training.search.plan import Plan
from training.search.space import parameters, suggest
from training.search.worker import candidate_from

_STUDY, _SHIPPED, _RECORD, _PLAN = "search", "shipped", "record", "plan"
_RECORDED = ("number", "state", "log_loss", "auc", "seconds", "at", "why")
_EASY, _REDUCTION = 1, 3


class Proposals:
    """The study of one search.

    Args:
        first: candidates that are tried before the sampler is asked.
        families: that the sampler may choose from.
        seed: of the sampler.
        halving: whether candidates may be given up early.
        folder: keeps the study for a later call; None keeps nothing.
        key: what the study is about; a kept one about something else is refused.

    Raises:
        DataError: the folder keeps a search over other data, or cannot be used.
    """

    def __init__(
        self,
        first: Sequence[Candidate],
        families: Sequence[str],
        seed: int,
        *,
        halving: bool,
        folder: Path | None = None,
        key: str = "",
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._first, self._families, self._folder = list(first), list(families), folder
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=8)
        pruner = optuna.pruners.SuccessiveHalvingPruner(_EASY, _REDUCTION) if halving else optuna.pruners.NopPruner()
        self._storage = None if folder is None else storage(folder)
        self._open: dict[int, Any] = {}
        try:
            self._study = optuna.create_study(
                study_name=_STUDY, sampler=sampler, pruner=pruner, storage=self._storage, load_if_exists=True
            )
            if folder is not None:
                self._begin_again(folder, key)
        except BaseException:
            self.close()
            raise

    def earlier(self) -> list[Trial]:
        """Return the trials that an interrupted search had brought to an end, with the log-odds that it kept."""
        found, folder = [], self._folder or Path()
        for told in self._study.get_trials(deepcopy=False):
            if _RECORD in told.user_attrs:
                record = dict(told.user_attrs[_RECORD])
                candidate = candidate_from(json.loads(record.pop("candidate")))
                trial = Trial(candidate=candidate, raw=read_raw(folder, record["number"]), **record)
                if trial.state != COMPLETE or len(trial.raw):  # else it is tried again
                    found.append(trial)
        return found

    def plan(self) -> Plan | None:
        """Return the plan that was kept; trials of another one could not be compared with later ones."""
        told = self._study.user_attrs.get(_PLAN)
        return None if told is None else Plan(**told)

    def keep_plan(self, plan: Plan) -> None:
        """Keep what the search uses, for a later call."""
        self._study.set_user_attr(_PLAN, asdict(plan))

    def shipped(self, skip: set[str]) -> tuple[int, Candidate] | None:
        """Begin the next of the first candidates that is not among the names to skip; None when there is none left."""
        while self._first:
            candidate = self._first.pop(0)
            if candidate.name in skip:
                continue
            self._study.enqueue_trial(parameters(candidate, self._families), user_attrs={_SHIPPED: candidate.name})
            trial = self._study.ask()
            if parameters(candidate, self._families):
                suggest(trial, self._families)
            self._open[trial.number] = trial
            return trial.number, candidate
        return None

    def propose(self) -> tuple[int, Candidate]:
        """Begin a candidate of the sampler's choice."""
        trial = self._study.ask()
        candidate = suggest(trial, self._families)
        self._open[trial.number] = trial
        return trial.number, candidate

    def give_up(self, number: int, step: int, loss: float) -> bool:
        """Report a partial result, and tell whether it is among the worse two thirds at this step."""
        trial = self._open[number]
        trial.report(loss, step)
        return bool(trial.should_prune())

    def end(self, trial: Trial) -> None:
        """Tell the study how a trial ended, and keep what a resumed search needs."""
        opened = self._open.pop(trial.number)
        if self._folder is not None and trial.state in {COMPLETE, PRUNED, FAILED}:
            if trial.state == COMPLETE:
                write_raw(self._folder, trial.number, trial.raw)
            record = {name: getattr(trial, name) for name in _RECORDED}
            opened.set_user_attr(_RECORD, {**record, "candidate": json.dumps(asdict(trial.candidate))})
        if trial.state == COMPLETE:
            self._study.tell(opened, trial.log_loss)
        else:
            self._study.tell(opened, state=TrialState.FAIL if trial.state in {FAILED, STOPPED} else TrialState.PRUNED)

    def close(self) -> None:
        """Let go of what keeps the study."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()

    def _begin_again(self, folder: Path, key: str) -> None:
        kept = self._study.user_attrs.get("key", key)
        if kept != key:
            raise DataError(
                f"{folder} keeps a search over another table, contract or seed: give another folder, or remove this one"
            )
        self._study.set_user_attr("key", key)
        clear_partial(folder)
        trials = self._study.get_trials(deepcopy=False)
        for _ in [told for told in trials if told.state == TrialState.WAITING]:
            self._study.tell(self._study.ask(), state=TrialState.FAIL)
        for told in [told for told in trials if told.state == TrialState.RUNNING]:
            self._study.tell(told.number, state=TrialState.FAIL)
