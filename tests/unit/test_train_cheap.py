"""The cheap release is a whole release of its own, judged as its champion is, and never in its way."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

from ebb.contract import Contract, parse_contract
from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_release
from ebb.release.manifest import CONTRACT, METRICS, MODEL
from ebb.routing.admit import admit
from ebb.routing.change import Roles, started, with_roles
from ebb.routing.table import Change, Cheap
from tests.fakes.made_contracts import contract_text
from tests.fakes.searched import searched
from tests.fakes.tables import TINY, make_table
from training.cheap import CheapDraft, _tried, cheap_draft
from training.draft import Draft, make_draft
from training.fit import Candidate, Linear, fit_candidate
from training.folds import temporal_folds
from training.judgement import judge_best
from training.labelled import Labelled
from training.progress import Silent
from training.publish import publish, publish_cheap
from training.search import LINE, Search
from training.search.judge import judged
from training.steps import Steps

CHAMPION = "0123456789ab"
TEXT = contract_text(
    *(f'name = "n{j}"; kind = "number"; missing = true' for j in range(3)),
    *(f'name = "c{j}"; kind = "category"; missing = true' for j in range(2)),
)
OTHER_LINE = Linear("other", 5.0)


@cache
def _data() -> Labelled:
    inputs, labels = make_table(600, 3, 2)
    return Labelled(inputs, labels, "a" * 64)


@cache
def _found(*candidates: Candidate) -> Search:
    return searched(_data().coded, _data().labels, candidates)


def _made(found: Search, contract: Contract | None = None, seed: int = 0) -> CheapDraft:
    return cheap_draft(contract or parse_contract(TEXT), TEXT.encode(), _data(), found, champion=CHAMPION, seed=seed)


def _draft(found: Search) -> Draft:
    made = _made(found)
    assert made.draft is not None, made.why
    return made.draft


def _champion() -> Draft:
    contract, found = parse_contract(TEXT), _found(TINY, LINE)
    found = replace(found, best=next(trial for trial in found.trials if trial.candidate == TINY))
    judgement = judge_best(Steps(Silent()), contract, _data(), found, store=FolderReleases(Path("nowhere")), seed=0)
    return make_draft(contract, TEXT.encode(), _data(), found, judgement, seed=0)


def _releases(folder: Path) -> Path:
    """Return a folder whose registry is away: it takes seconds, and an integration test looks after it."""
    folder.mkdir()
    (folder / "mlflow.db").write_text("no database")
    return folder


def _trees_win(*lines: Candidate) -> Search:
    found = _found(TINY, *lines)
    return replace(found, best=next(trial for trial in found.trials if trial.candidate == TINY))


def test_it_is_a_whole_release_of_the_same_contract(tmp_path: Path) -> None:
    draft = _draft(_trees_win(LINE))
    assert draft.files[CONTRACT] == TEXT.encode()
    store, best = FolderReleases(_releases(tmp_path / "releases")), _champion()
    publish(best, tmp_path / "releases", promote=False)
    publish_cheap(draft, tmp_path / "releases", beside=best.version)
    release = load_release(store, "small", draft.version, OnnxScorer)
    assert release.name == f"small/{draft.version}"
    assert sorted(store.read("small", draft.version)) == sorted([*draft.files, "manifest.json"])
    assert store.champion("small") is None, "whoever is champion stays, also where nobody is"
    assert store.cheap("small") is None
    store.set_champion("small", best.version)
    assert store.cheap("small") == draft.version


def test_it_says_of_whom_it_is_the_cheap_release() -> None:
    told = json.loads(_draft(_trees_win(LINE)).files["metrics.json"])
    assert told["made_as"] == {"role": "cheap", "beside": CHAMPION}
    assert json.loads(_champion().files["metrics.json"])["made_as"] == {"role": "challenger"}


def test_its_graph_is_a_small_line() -> None:
    draft = _draft(_trees_win(LINE))
    graph = draft.files[MODEL]
    assert len(graph) < 27_000
    assert "TreeEnsembleRegressor" not in {node.op_type for node in onnx.load_from_string(graph).graph.node}


def test_it_tells_what_it_is_and_what_the_champion_reaches() -> None:
    found = _trees_win(LINE)
    draft = _draft(found)
    metrics = json.loads(draft.files[METRICS])
    assert metrics["parity"]["rows"] > 100_000
    assert metrics["parity"]["largest"] <= 1e-6
    assert metrics["search"]["chosen"]["family"] == "logistic"
    assert metrics["champion"] is None
    (note,) = metrics["notes"]
    assert f"the cheap release beside the champion {CHAMPION}" in note
    assert f"the champion's {found.best.auc:.4f}" in note
    assert metrics["auc"] == pytest.approx(draft.metrics["auc"])
    assert 0.5 < metrics["auc"] <= 1


def test_the_line_that_the_search_judged_is_taken_with_its_own_figures() -> None:
    found = _trees_win(LINE, OTHER_LINE)
    best = found.best_of("logistic")
    assert best is not None
    draft = _draft(found)
    assert draft.parameters["strength"] == getattr(best.candidate, "strength", None)
    assert draft.metrics["auc"] == pytest.approx(best.auc, abs=1e-9)


def test_a_line_that_the_search_had_no_time_for_is_judged_on_its_folds() -> None:
    by_hand = _draft(_trees_win())
    by_search = _draft(_trees_win(LINE))
    assert by_hand.files[MODEL] == by_search.files[MODEL]
    assert by_hand.metrics["auc"] == pytest.approx(by_search.metrics["auc"], abs=1e-12)
    assert by_hand.metrics["calibration"] == by_search.metrics["calibration"]


def test_a_trial_that_kept_no_answers_is_judged_again() -> None:
    found = _trees_win(LINE)
    bare = tuple(trial if trial.candidate == TINY else replace(trial, raw=np.empty(0)) for trial in found.trials)
    assert _draft(replace(found, trials=bare)).files[MODEL] == _draft(found).files[MODEL]


def test_folds_by_time_are_kept() -> None:
    data = _data()
    days = np.linspace(0, 400 * 86400.0, len(data.labels))
    folds = temporal_folds(days, data.labels, gap=20 * 86400.0)
    trial = _tried(data, replace(_trees_win(), folds=folds), seed=0)
    assert np.array_equal(np.isfinite(trial.raw), folds.held)
    assert 0 < folds.held.sum() < len(data.labels)
    first = folds.held_out(0)
    learned = fit_candidate(LINE, data.coded.rows(folds.learned(0)), data.labels[folds.learned(0)], seed=0)
    assert np.array_equal(trial.raw[first], learned.raw(data.coded.rows(first)))
    assert (trial.log_loss, trial.auc) == judged(trial.raw, data.labels, folds)


def test_the_same_training_makes_the_same_version() -> None:
    assert _draft(_trees_win(LINE)).version == _draft(_trees_win(LINE)).version


def test_beside_a_line_there_is_none() -> None:
    found = _found(TINY, LINE)
    found = replace(found, best=next(trial for trial in found.trials if trial.candidate == LINE))
    made = _made(found)
    assert made.draft is None
    assert made.why == "no cheap release stands beside the champion, which is a line itself"


def test_a_line_that_fails_a_gate_is_none_and_says_which() -> None:
    contract = parse_contract(TEXT)
    strict = replace(contract, gates=replace(contract.gates, min_auc=0.9999, max_calibration_error=1e-9))
    made = _made(_trees_win(LINE), strict)
    assert made.draft is None
    assert made.why.endswith("a line does not pass min_auc, max_calibration_error")
    assert {gate.name for gate in made.gates if not gate.passed} == {"min_auc", "max_calibration_error"}


def test_it_need_not_beat_a_champion() -> None:
    contract = parse_contract(TEXT)
    demanding = replace(contract, gates=replace(contract.gates, min_profit_over_champion=1e9))
    made = _made(_trees_win(LINE), demanding)
    assert made.draft is not None


def test_a_graph_that_differs_costs_the_cheap_release_and_nothing_else() -> None:
    contract = parse_contract(TEXT)
    impossible = replace(contract, gates=replace(contract.gates, max_parity=0.0))
    made = _made(_trees_win(LINE), impossible)
    assert made.draft is None
    assert made.why.startswith("warning: no cheap release stands beside the champion: the exported graph")


def test_a_line_that_cannot_be_fitted_costs_no_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise FloatingPointError("overflow")

    monkeypatch.setattr("training.fit.families.fit_logistic", broken)
    made = _made(_trees_win())
    assert made.draft is None
    assert "a line could not be fitted: FloatingPointError: overflow" in made.why


def test_it_stands_beside_the_champion_in_a_routing_table(tmp_path: Path) -> None:
    folder = _releases(tmp_path / "releases")
    best, quick = _champion(), _draft(_trees_win(LINE))
    publish(best, folder)
    told = publish_cheap(quick, folder)
    store = FolderReleases(folder)
    assert (store.champion("small"), store.cheap("small")) == (best.version, quick.version)
    assert (told.role, told.run_id) == ("cheap", "")
    assert any("not registered" in note for note in told.notes)
    table = started(best.version, "0" * 32, Change(1.0, "me", "start"))
    routed = with_roles(table, Roles(cheap=Cheap(quick.version, 0.3, 0.1)), Change(2.0, "me", "set"))
    admit(routed, lambda version: load_release(store, "small", version, OnnxScorer))


def test_publishing_it_again_changes_nothing(tmp_path: Path) -> None:
    folder, quick = _releases(tmp_path / "releases"), _draft(_trees_win(LINE))
    publish(_champion(), folder)
    publish_cheap(quick, folder)
    before = {path.name: path.read_bytes() for path in (folder / "small" / quick.version).iterdir()}
    told = publish_cheap(quick, folder)
    assert any("existed already" in note for note in told.notes)
    assert {path.name: path.read_bytes() for path in (folder / "small" / quick.version).iterdir()} == before


def test_one_for_nobody_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    folder = _releases(tmp_path / "releases")
    for beside in (None, "0" * 12):
        with pytest.raises(NoRelease, match="that a cheap release could stand beside"):
            publish_cheap(_draft(_trees_win(LINE)), folder, beside=beside)
    assert FolderReleases(folder).versions("small") == []


def test_a_cheap_release_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _releases(tmp_path / "releases")
    first = _draft(_trees_win(LINE))
    publish(_champion(), folder)
    publish_cheap(first, folder)

    def full(*_: object) -> None:
        raise ReleaseError("the disk is full")

    monkeypatch.setattr(FolderReleases, "write", full)
    with pytest.raises(ReleaseError, match="the disk is full"):
        publish_cheap(_draft(_trees_win(OTHER_LINE)), folder)
    assert FolderReleases(folder).cheap("small") == first.version
