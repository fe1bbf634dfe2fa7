"""The trained model beside the champion that serves now, on the same rows."""

import json
from dataclasses import dataclass

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
from training.evaluation.money import profit_at

_SAME_ROWS = "its own out-of-fold figure, since it was trained on exactly these rows"
_MAYBE_SEEN = "its answers on these rows now, some of which it may have been trained on, which flatters it"


@dataclass(frozen=True)
class Comparison:
    """What the champion earns on these rows.

    Attributes:
        version: the champion's.
        profit: per entity, in the currency of the decision.
        basis: how the profit was had, for people.
        may_have_seen: whether the champion may have been trained on some of the rows.
    """

    version: str
    profit: float
    basis: str
    may_have_seen: bool


def compare_with_champion(
    store: ReleaseStore, contract: Contract, inputs: Inputs, labels: NDArray[np.int8], data_sha256: str
) -> tuple[Comparison | None, str]:
    """Score the rows with the current champion.

    Args:
        store: where releases lie.
        contract: of the model that was trained.
        inputs: its rows, N.
        labels: 0 or 1, [N].
        data_sha256: of these rows.

    Returns:
        The comparison, or None with a sentence that says why there is none.
    """
    if store.champion(contract.name) is None:
        return None, "there is no champion yet to compare with"
    try:
        champion = load_champion(store, contract.name, OnnxScorer)
    except EbbError as error:
        return None, f"the champion could not be compared with: {error}"
    version = champion.manifest.version
    if reason := _incomparable(champion.contract, contract):
        return None, f"the champion {version} could not be compared with: {reason}"
    if champion.manifest.data_sha256 == data_sha256 and champion.contract.decision == contract.decision:
        metrics = json.loads(store.read(contract.name, version)[METRICS])
        return Comparison(version, float(metrics["profit"]), _SAME_ROWS, may_have_seen=False), ""
    scores = champion.scorer.score(_as_champion_sees(champion, contract, inputs))
    profit = profit_at(contract.decision, scores, labels, threshold(contract.decision))
    return Comparison(version, profit, _MAYBE_SEEN, may_have_seen=True), ""


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
