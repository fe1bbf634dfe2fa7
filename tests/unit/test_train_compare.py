"""The champion's profit on the same rows: had fairly, or not had with a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ebb.contract import Contract, parse_contract
from ebb.features.inputs import Inputs
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.manifest import GOLDEN, MODEL
from tests.fakes.made_contracts import contract_text
from tests.fakes.searched import searched
from tests.fakes.tables import TINY, make_table
from training.draft import Draft, make_draft
from training.evaluation.compare import Comparison, Ours, compare_with_champion
from training.evaluation.evaluate import evaluate
from training.evaluation.money import profit_at
from training.fit import code
from training.judgement import judge_best
from training.labelled import Labelled
from training.progress import Silent
from training.publish import publish
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
    found = searched(inputs, labels, [TINY])
    data = Labelled(inputs, labels, sha)
    judgement = judge_best(steps, contract, data, found, store=FolderReleases(releases), seed=0)
    draft = make_draft(contract, text.encode(), data, found, judgement, seed=0)
    releases.mkdir(exist_ok=True)
    (releases / "mlflow.db").write_text("no database")
    assert "not registered" in " ".join(publish(draft, releases).notes)
    return draft


def compared(
    tmp_path: Path, contract: Contract, inputs: Inputs, labels: NDArray[np.int8], sha: str
) -> tuple[Comparison | None, str]:
    answers = np.full(len(labels), 0.3)
    ours = Ours(code(inputs), answers, evaluate(contract, inputs, labels, answers).segments)
    return compare_with_champion(FolderReleases(tmp_path), contract, inputs, labels, sha, ours=ours)


def here(names: list[str]) -> Contract:
    return parse_contract(text_of(names))


def test_no_champion_yet(tmp_path: Path) -> None:
    inputs, labels = table()
    found, note = compared(tmp_path, here(FEATURES), inputs, labels, SHA)
    assert (found, note) == (None, "there is no champion yet to compare with")


def test_on_the_same_data_its_own_out_of_fold_figure(tmp_path: Path) -> None:
    inputs, labels = table()
    draft = crowned(tmp_path, text_of(FEATURES), inputs)
    found, note = compared(tmp_path, here(FEATURES), inputs, labels, SHA)
    assert found is not None
    assert (found.profit, found.may_have_seen, note) == (draft.metrics["profit"], False, "")
    assert (found.rows, found.over) == (len(labels), None)
    assert found.slices is not None
    assert found.slices.basis.startswith("out-of-fold figures of both")
    assert found.slices.judged > 5
    assert ("n0", "log_loss") in {(s.feature, s.measure) for s in found.slices.worse}


def test_on_other_data_its_answers_now(tmp_path: Path) -> None:
    inputs, labels = table()
    draft = crowned(tmp_path, text_of(FEATURES), inputs)
    found, _ = compared(tmp_path, here(FEATURES), inputs, labels, "b" * 64)
    assert found is not None
    assert found.may_have_seen
    scores = OnnxScorer(draft.files[MODEL]).score(inputs)
    assert found.profit == profit_at(here(FEATURES).decision, scores, labels, 0.2)
    everyone = profit_at(here(FEATURES).decision, np.full(len(labels), 0.3), labels, 0.2)
    assert found.over is not None
    assert found.over.value == pytest.approx(everyone - found.profit)
    assert found.over.low is not None
    assert found.over.low < found.over.value


def test_folds_of_another_kind_make_no_same_figure(tmp_path: Path) -> None:
    inputs, labels = table()
    crowned(tmp_path, text_of(FEATURES), inputs)
    found, _ = compared(tmp_path, replace(here(FEATURES), temporal=True), inputs, labels, SHA)
    assert found is not None
    assert found.may_have_seen


def test_slices_where_the_champion_is_better_are_named(tmp_path: Path) -> None:
    inputs, labels = table()
    crowned(tmp_path, text_of(FEATURES), inputs)
    found, _ = compared(tmp_path, here(FEATURES), inputs, labels, "b" * 64)
    assert found is not None
    assert found.slices is not None
    worse = {(s.feature, s.measure) for s in found.slices.worse}
    assert ("n0", "log_loss") in worse  # always 0.3 says nothing where the first number says a lot
    assert all(s.worse_by.low is not None and s.worse_by.low > 0 for s in found.slices.worse)


def test_a_champion_with_fewer_features_in_another_order(tmp_path: Path) -> None:
    inputs, labels = table()
    fewer = Inputs(np.ascontiguousarray(inputs.numbers[:, [1]]), inputs.categories)
    draft = crowned(tmp_path, text_of(["n1", "c0"]), fewer)
    found, _ = compared(tmp_path, here(["c0", "n0", "n1"]), inputs, labels, "b" * 64)
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
    found, note = compared(tmp_path, contract, inputs, labels, SHA)
    assert found is None
    assert reason in note


def test_a_damaged_champion_is_told_and_stops_nothing(tmp_path: Path) -> None:
    inputs, labels = table()
    draft = crowned(tmp_path, text_of(FEATURES), inputs)
    (tmp_path / "small" / draft.version / GOLDEN).write_bytes(b"")
    found, note = compared(tmp_path, here(FEATURES), inputs, labels, SHA)
    assert found is None
    assert "was altered" in note
