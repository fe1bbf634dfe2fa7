"""The champion's profit on the same rows: had fairly, or not had with a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ebb.contract import Contract, parse_contract
from ebb.features.inputs import Inputs
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.manifest import GOLDEN, MODEL
from tests.fakes.made_contracts import contract_text
from tests.fakes.tables import TINY, make_table
from training.draft import Draft, make_draft
from training.evaluation.compare import compare_with_champion
from training.evaluation.money import profit_at
from training.judgement import Labelled, judge_best
from training.progress import Silent
from training.publish import publish
from training.search import search
from training.steps import Steps

FEATURES = ["n0", "n1", "c0"]
SHA = "a" * 64


def text_of(names: list[str]) -> str:
    kinds = {"n": "number", "c": "category"}
    return contract_text(*(f'name = "{n}"; kind = "{kinds[n[0]]}"; missing = true' for n in names))


def table() -> tuple[Inputs, np.ndarray[tuple[int], np.dtype[np.int8]]]:
    inputs, labels = make_table(600, 2, 1)
    return inputs, np.asarray(labels)


def crowned(releases: Path, text: str, inputs: Inputs, sha: str = SHA) -> Draft:
    """Train a champion; the registry takes seconds and is not what is tested here, so it is away."""
    contract = parse_contract(text)
    _, labels = table()
    steps = Steps(Silent())
    found = search(inputs, labels, seconds=None, seed=0, progress=Silent(), sizes=[TINY])
    data = Labelled(inputs, labels, sha)
    judgement = judge_best(steps, contract, data, found, store=FolderReleases(releases), seed=0)
    draft = make_draft(contract, text.encode(), data, found, judgement, seed=0)
    releases.mkdir(exist_ok=True)
    (releases / "mlflow.db").write_text("no database")
    assert "not registered" in " ".join(publish(draft, releases).notes)
    return draft


def here(names: list[str]) -> Contract:
    return parse_contract(text_of(names))


def test_no_champion_yet(tmp_path: Path) -> None:
    inputs, labels = table()
    found, note = compare_with_champion(FolderReleases(tmp_path), here(FEATURES), inputs, labels, SHA)
    assert (found, note) == (None, "there is no champion yet to compare with")


def test_on_the_same_data_its_own_out_of_fold_figure(tmp_path: Path) -> None:
    inputs, labels = table()
    draft = crowned(tmp_path, text_of(FEATURES), inputs)
    found, note = compare_with_champion(FolderReleases(tmp_path), here(FEATURES), inputs, labels, SHA)
    assert found is not None
    assert (found.profit, found.may_have_seen, note) == (draft.metrics["profit"], False, "")


def test_on_other_data_its_answers_now(tmp_path: Path) -> None:
    inputs, labels = table()
    draft = crowned(tmp_path, text_of(FEATURES), inputs)
    found, _ = compare_with_champion(FolderReleases(tmp_path), here(FEATURES), inputs, labels, "b" * 64)
    assert found is not None
    assert found.may_have_seen
    scores = OnnxScorer(draft.files[MODEL]).score(inputs)
    assert found.profit == profit_at(here(FEATURES).decision, scores, labels, 0.2)


def test_a_champion_with_fewer_features_in_another_order(tmp_path: Path) -> None:
    inputs, labels = table()
    fewer = Inputs(np.ascontiguousarray(inputs.numbers[:, [1]]), inputs.categories)
    draft = crowned(tmp_path, text_of(["n1", "c0"]), fewer)
    found, _ = compare_with_champion(FolderReleases(tmp_path), here(["c0", "n0", "n1"]), inputs, labels, "b" * 64)
    assert found is not None
    scores = OnnxScorer(draft.files[MODEL]).score(fewer)
    assert found.profit == profit_at(here(FEATURES).decision, scores, labels, 0.2)


@pytest.mark.parametrize(
    ("contract", "reason"),
    [
        (here(["n0", "c0"]), "it needs the feature `n1`, which this contract lacks"),
        (replace(here(FEATURES), label=replace(here(FEATURES).label, positive="2")), "it answers another label"),
    ],
)
def test_incomparable(tmp_path: Path, contract: Contract, reason: str) -> None:
    inputs, labels = table()
    crowned(tmp_path, text_of(FEATURES), inputs)
    found, note = compare_with_champion(FolderReleases(tmp_path), contract, inputs, labels, SHA)
    assert found is None
    assert reason in note


def test_a_damaged_champion_is_told_and_stops_nothing(tmp_path: Path) -> None:
    inputs, labels = table()
    draft = crowned(tmp_path, text_of(FEATURES), inputs)
    (tmp_path / "small" / draft.version / GOLDEN).write_bytes(b"")
    found, note = compare_with_champion(FolderReleases(tmp_path), here(FEATURES), inputs, labels, SHA)
    assert found is None
    assert "was altered" in note
