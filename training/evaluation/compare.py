"""The trained model beside the champion that serves now, on the same rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebb.contract.model import Contract
from ebb.decision import threshold
from ebb.errors import EbbError
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from ebb.ports import ReleaseStore
from ebb.release.load import LoadedRelease, load_champion
from ebb.release.manifest import METRICS
from training.evaluation.evidence import Slices
from training.evaluation.measured import Measured
from training.evaluation.model import Segment
from training.evaluation.money import earned, profit_at
from training.evaluation.resample import Resampler
from training.evaluation.segments import Segments
from training.evaluation.slices import Rivals, worse_slices, worse_than_told
from training.fit.coded import Coded

_SAME_ROWS = "its own out-of-fold figure, since it was trained on exactly these rows"
_MAYBE_SEEN = "its answers on these rows now, some of which it may have been trained on, which flatters it"
_OUT_OF_FOLD = "the new model's out-of-fold answers against the champion's now, which may have seen some of the rows"
_MOST_SCORED = 100_000
"""Rows; a graph takes about 10 us for each."""


@dataclass(frozen=True)
class Comparison:
    """What the champion earns on these rows.

    Attributes:
        version: the champion's.
        profit: per entity, in the currency of the decision.
        basis: how the profit was had, for people.
        may_have_seen: whether the champion may have been trained on some of the rows.
        rows: on which the profit was had.
        over: profit of the new model over the champion's, per entity, paired by row; None where it was not measured
            row by row.
        slices: where the new model is worse; None where that was not looked for.
    """

    version: str
    profit: float
    basis: str
    may_have_seen: bool
    rows: int = 0
    over: Measured | None = None
    slices: Slices | None = None


@dataclass(frozen=True)
class Ours:
    """The new model's side of a comparison, over the same N rows.

    Attributes:
        coded: the rows.
        probabilities: out of fold, [N].
        segments: as evaluated.
        groups: number of each row's entity, [N]; None where every entity has one row.
        importance: of the features, numbers first; None where it is not known.
        seed: of draws.
    """

    coded: Coded
    probabilities: NDArray[np.float64]
    segments: tuple[Segment, ...]
    groups: NDArray[np.intp] | None = None
    importance: NDArray[np.float64] | None = None
    seed: int = 0


@dataclass(frozen=True)
class Champion:
    """The release that serves now, as far as it can answer the rows of this contract.

    Attributes:
        release: loaded and checked.
        metrics: as in its `metrics.json`.
        same: whether it was trained on exactly these rows, for the same decision and with folds of the same kind.
    """

    release: LoadedRelease
    metrics: Mapping[str, Any]
    same: bool

    def answers(self, contract: Contract, inputs: Inputs) -> NDArray[np.float64]:
        """Return its probabilities for N rows of a contract that has all of its features, [N]."""
        return self.release.scorer.score(_as_champion_sees(self.release, contract, inputs)).astype(np.float64)


def find_champion(store: ReleaseStore, contract: Contract, data_sha256: str) -> tuple[Champion | None, str]:
    """Load the current champion.

    Args:
        store: where releases lie.
        contract: of the model that was trained.
        data_sha256: of its rows.

    Returns:
        The champion, or None with a sentence that says why it cannot be compared with.
    """
    if store.champion(contract.name) is None:
        return None, "there is no champion yet to compare with"
    try:
        release = load_champion(store, contract.name, OnnxScorer)
    except EbbError as error:
        return None, f"the champion could not be compared with: {error}"
    version = release.manifest.version
    if reason := _incomparable(release.contract, contract):
        return None, f"the champion {version} could not be compared with: {reason}"
    same = release.manifest.data_sha256 == data_sha256 and _judged_alike(release.contract, contract)
    return Champion(release, json.loads(store.read(contract.name, version)[METRICS]), same), ""


def compare_with_champion(
    store: ReleaseStore, contract: Contract, inputs: Inputs, labels: NDArray[np.int8], data_sha256: str, *, ours: Ours
) -> tuple[Comparison | None, str]:
    """Tell what the current champion earns on these rows, and where it is better than the new model.

    Args:
        store: where releases lie.
        contract: of the model that was trained.
        inputs: its rows, N.
        labels: 0 or 1, [N].
        data_sha256: of these rows.
        ours: the new model.

    Returns:
        The comparison, or None with a sentence that says why there is none.
    """
    champion, note = find_champion(store, contract, data_sha256)
    if champion is None:
        return None, note
    version, at = champion.release.manifest.version, threshold(contract.decision)
    if champion.same:
        slices = worse_than_told(ours.segments, champion.metrics.get("segments", ()))
        profit = float(champion.metrics["profit"])
        return Comparison(version, profit, _SAME_ROWS, may_have_seen=False, rows=len(labels), slices=slices), ""
    rows = _drawn(len(labels), ours.seed)
    some, known, mine = inputs.rows(rows), labels[rows], ours.probabilities[rows]
    theirs = champion.answers(contract, some)
    resampler = Resampler(len(rows), None if ours.groups is None else ours.groups[rows], ours.seed)
    segments = Segments(contract, ours.coded.rows(rows), ours.importance)
    slices = worse_slices(contract.decision, segments, Rivals(known, mine, theirs, _OUT_OF_FOLD), resampler)
    profit = profit_at(contract.decision, theirs, known, at)
    gained = earned(contract.decision, known) * ((mine >= at).astype(np.float64) - (theirs >= at))
    over = resampler.measured(float(gained.mean()), resampler.means(gained)[:, 0])
    return Comparison(version, profit, _MAYBE_SEEN, may_have_seen=True, rows=len(rows), over=over, slices=slices), ""


def _drawn(rows: int, seed: int) -> NDArray[np.intp]:
    if rows <= _MOST_SCORED:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, _MOST_SCORED, replace=False))


def _judged_alike(champion: Contract, contract: Contract) -> bool:
    return (champion.decision, champion.temporal) == (contract.decision, contract.temporal)


def _incomparable(champion: Contract, contract: Contract) -> str:
    if (champion.label.column, champion.label.positive) != (contract.label.column, contract.label.positive):
        return "it answers another label"
    for feature in champion.features:
        here = contract.by_name.get(feature.name)
        if here is None:
            return f"it needs the feature `{feature.name}`, which this contract lacks"
        if here.is_category != feature.is_category:
            return f"its feature `{feature.name}` is a {feature.kind}, here a {here.kind}"
    return ""


def _as_champion_sees(champion: LoadedRelease, contract: Contract, inputs: Inputs) -> Inputs:
    number_place = {f.name: j for j, f in enumerate(contract.numbers)}
    category_place = {f.name: j for j, f in enumerate(contract.categories)}
    numbers = [number_place[f.name] for f in champion.contract.numbers]
    categories = [category_place[f.name] for f in champion.contract.categories]
    return Inputs(
        np.ascontiguousarray(inputs.numbers[:, numbers]), np.ascontiguousarray(inputs.categories[:, categories])
    )
