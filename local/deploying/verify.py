"""Step `verify`: the stage answers as the release does, and what was loaded can be scored."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ebb.client.answers import Prediction
from ebb.contract.model import Contract, Value
from ebb.errors import EbbError, ReleaseError
from ebb.event_time import AHEAD_SECONDS
from ebb.folder import FolderReleases
from ebb.release.golden import ELSEWHERE, GoldenExample, golden_from_bytes
from ebb.release.manifest import GOLDEN
from local.calling.entrance import SCORE
from local.calling.sentences import Refused
from local.deploying.answering import when_answering
from local.deploying.deployment import Deployment
from local.deploying.route import champion_of
from local.deploying.step import Outcome

_EXAMPLES, _KNOWN, _TRIED, _TIMED = 5, 3, 100, 10
_NOT_HELD = frozenset({"unknown-entity", "stale-features"})
_PURPOSE = "deployment"
_ENTITY = "ebb-deploy-{}"
"""Whom a golden example is scored as; nothing is stored of it but the prediction event."""


class NotVerified(EbbError):
    """The stage does not score as it should."""


@dataclass(frozen=True)
class Trial:
    """One entity to be scored, and what must come of it.

    Attributes:
        entity_id: whom.
        features: that are sent along; None for the stored ones.
        probability: that the release itself gave; None where nobody knows.
    """

    entity_id: str
    features: Mapping[str, Value] | None = None
    probability: float | None = None


class Verify:
    """The step."""

    name = "verify"

    def look(self, at: Deployment) -> Outcome:
        """Say what would be scored."""
        whom = " and entities of the table" if at.features is not None else ""
        return Outcome("would", f"would score golden examples of the release{whom}, and compare")

    def take(self, at: Deployment) -> Outcome:
        """Score until the champion answers every trial as it should; refuse when it does not in time."""
        champion = when_answering(at, lambda: champion_of(at))
        if not champion:
            raise NotVerified("there is no routing table yet: run `ebb deploy` without --only, or with --only routing")
        trials = [*_examples(at, champion), *_known(at)]
        if not trials:
            raise NotVerified(
                f"nothing is known of the champion {champion} that could be compared: name its folder with --release"
            )
        until = time.monotonic() + at.patience.answering
        with at.progress.step("Scoring", len(trials)):
            while wrong := self._wrong(at, champion, trials):
                if time.monotonic() > until:
                    raise NotVerified(f"the stage {at.stage.name!r} {wrong}")
                time.sleep(at.patience.poll)
        return Outcome("done", f"{champion} answers {len(trials)} entities as it should; {_latency(at, trials[0])}")

    def _wrong(self, at: Deployment, champion: str, trials: Sequence[Trial]) -> str:
        """Return what is wrong with the first answer that is; empty where all are right."""
        found = (_wrong(each, champion, score(at, each)) for each in trials)
        return next((wrong for wrong in found if wrong), "")


def score(at: Deployment, trial: Trial) -> Prediction:
    """Score one entity of the stage.

    Raises:
        Refused, Unavailable: see `local.calling.caller`.
    """

    def ask() -> Prediction:
        with at.caller.client(SCORE) as client:
            return client.predict(trial.entity_id, trial.features, purpose=_PURPOSE)

    return when_answering(at, ask)


def _wrong(trial: Trial, champion: str, answer: Prediction) -> str:
    if answer.degraded and trial.features is None and answer.stale:
        return ""  # of stored values that are too old, the contract itself wants the rules to answer
    if answer.degraded:
        why = ", ".join(answer.degraded_because) or "for no reason that it tells"
        return f"answers {trial.entity_id!r} from the rules ({why}): look into the log of its prediction function"
    answered = (answer.release or "").rpartition("/")[2]
    if answer.variant == "champion" and answered != champion:
        return f"answers with {answered}, and {champion} is the champion: its news travel slowly, run it again"
    if trial.probability is None or answer.variant != "champion":
        return ""
    if abs(answer.probability - trial.probability) > ELSEWHERE:
        return (
            f"answers {answer.probability!r} where the release gave {trial.probability!r}: its processor or its layers "
            "differ; do not let it serve"
        )
    return ""


def _examples(at: Deployment, champion: str) -> Iterator[Trial]:
    """Yield golden examples of the champion, where its files are here."""
    try:
        files = FolderReleases(at.served.releases).read(at.stage.contract, champion)
        examples: Sequence[GoldenExample] = golden_from_bytes(files[GOLDEN])
    except ReleaseError:
        return
    for number, example in enumerate(examples[:_EXAMPLES]):
        yield Trial(_ENTITY.format(number), example.features, example.probability)


def _known(at: Deployment) -> Iterator[Trial]:
    """Yield the first entities of the table that are held: rows may have been refused, subjects erased."""
    release = at.served.release if at.features is not None else None
    if at.features is None or release is None:
        return
    tried = [Trial(key) for key in islice(_keys(at.features, release.contract), _TRIED)]
    held = list(islice((trial for trial in tried if _is_held(at, trial)), _KNOWN))
    if not held:
        raise NotVerified(
            f"none of the first {len(tried)} entities of {at.features} is held by the stage: load it again"
        )
    yield from held


def _keys(table: Path, contract: Contract) -> Iterator[str]:
    """Yield entities of the table's beginning whose rows the contract accepts."""
    from training.dataset.batch import accept_batch, needed_columns  # noqa: PLC0415 - pyarrow takes a moment
    from training.dataset.stream import open_stream  # noqa: PLC0415 - as above

    stream = open_stream(table)
    for rows in stream.batches(needed_columns(contract), _TRIED):
        latest = time.time() + AHEAD_SECONDS
        batch = accept_batch(contract, rows, str(table), first=0, latest=latest, ragged=stream.ragged)
        yield from (str(key) for key, good in zip(batch.entities.values(), batch.good, strict=True) if good)
        return


def _is_held(at: Deployment, trial: Trial) -> bool:
    try:
        score(at, trial)
    except Refused as error:
        if error.problem in _NOT_HELD:
            return False
        raise
    return True


def _latency(at: Deployment, trial: Trial) -> str:
    """Score one entity some more times over one connection, and return how long that takes from here."""
    taken = []
    with at.caller.client(SCORE) as client:
        for _ in range(_TIMED):
            began = time.perf_counter()
            client.predict(trial.entity_id, trial.features, purpose=_PURPOSE)
            taken.append(1_000 * (time.perf_counter() - began))
    return f"from here in {sorted(taken)[len(taken) // 2]:.0f} ms (median of {_TIMED})"
