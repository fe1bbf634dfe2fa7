"""The search compares candidates out of fold, keeps to its budget, gives up early and goes on after an interrupt."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from ebb.errors import DataError, Misuse
from tests.fakes.searched import searched
from tests.fakes.tables import make_table
from training.fit import Linear, TreeSize, code
from training.folds import FOLDS, Folds, fold_of
from training.progress import Silent
from training.search import SHIPPED, SIZES, Budget, Search, fit_best, search
from training.search.budget import read_families
from training.search.proposals import Proposals
from training.search.runners import Inline
from training.search.space import parameters, shipped
from training.search.task import Done, Material, Task, learned_rows
from training.search.worker import candidate_from

TWO = (TreeSize("two", 2, 0.3, 4), TreeSize("four", 4, 0.3, 4), TreeSize("huge", 31, 0.3, 400))
BROKEN = TreeSize("broken", 1, 0.3, 4)
"""scikit-learn refuses trees of one leaf."""
ROWS = 300


class Ticking:
    """A clock that goes on by so much whenever somebody looks."""

    def __init__(self, step: float) -> None:
        self.at, self._step = 0.0, step

    def __call__(self) -> float:
        """Look."""
        self.at += self._step
        return self.at


def test_every_candidate_is_tried_without_a_budget() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, TWO[:2])
    assert [trial.candidate.name for trial in found.completed] == ["two", "four"]
    assert found.skipped == ()
    assert found.best.log_loss == min(trial.log_loss for trial in found.trials)
    assert found.best.auc > 0.7
    assert found.last_tenth is None


def test_the_first_always_finishes_whatever_the_budget() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, TWO, budget=Budget(seconds=0))
    assert [(trial.candidate.name, trial.state) for trial in found.trials] == [("two", "complete")]
    assert found.skipped == ()  # nothing else was even thought of


def test_what_would_overrun_is_skipped_by_name() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, (TWO[0], TWO[2]), budget=Budget(seconds=3, trials=3, clock=Ticking(0.001)))
    assert "two" in [trial.candidate.name for trial in found.completed]
    assert found.seconds < 3
    slow = searched(
        inputs, labels, (SIZES[1], TreeSize("endless", 63, 0.1, 10**7)), budget=Budget(seconds=20, trials=2)
    )
    assert slow.skipped == ("endless",)


def test_same_seed_same_answers_other_seed_others() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    raws = [searched(inputs, labels, TWO[:1], seed=seed).best.raw for seed in (0, 0, 1)]
    assert np.array_equal(raws[0], raws[1])
    assert not np.array_equal(raws[0], raws[2])


def test_a_number_of_trials_gives_the_same_search_again() -> None:
    inputs, labels = make_table(800, 3, 1)
    first, second = (searched(inputs, labels, SHIPPED, budget=Budget(trials=9, workers=1)) for _ in range(2))
    told = [[(t.number, t.candidate, t.state, t.log_loss) for t in found.trials] for found in (first, second)]
    assert told[0] == told[1]
    assert len(first.trials) == 9
    assert {trial.state for trial in first.trials} >= {"complete", "pruned"}
    assert np.array_equal(first.best.raw, second.best.raw)


def test_out_of_fold_answers_do_not_know_their_own_label() -> None:
    inputs, _ = make_table(2_000, 3, 2)
    noise = (np.random.default_rng(5).random(2_000) < 0.5).astype(np.int8)
    assert searched(inputs, noise, SIZES[:1]).best.auc == pytest.approx(0.5, abs=0.05)


def test_only_the_best_of_each_family_keeps_its_answers() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, (*TWO[:2], Linear("a", 0.1), Linear("b", 1e-6)))
    for family in ("boosted", "logistic"):
        best = found.best_of(family)
        assert best is not None
        assert len(best.raw) == ROWS
    assert sum(len(trial.raw) > 0 for trial in found.trials) == 2
    assert found.best_of("lightgbm") is None


def test_a_failing_candidate_is_told_and_the_others_go_on() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, (BROKEN, TWO[0]))
    assert [trial.state for trial in found.trials] == ["failed", "complete"]
    assert "max_leaf_nodes" in found.trials[0].why
    assert found.best.candidate.name == "two"


def test_all_failing_is_an_error_with_the_first_reason() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    with pytest.raises(
        DataError, match=r"every candidate of the search failed, the first of them 'broken' with .*leaf"
    ):
        searched(inputs, labels, (BROKEN, TreeSize("broken too", 1, 0.1, 3)))


def test_too_few_of_a_class() -> None:
    inputs, labels = make_table(ROWS, 2, 0)
    labels[:] = 0
    labels[:9] = 1
    with pytest.raises(DataError, match="only 9 of 300 rows have the rarer label"):
        searched(inputs, labels)


def test_folds_are_stratified() -> None:
    labels = (np.arange(1_000) % 10 == 0).astype(np.int8)
    fold = fold_of(labels, 0)
    assert [int(labels[fold == k].sum()) for k in range(FOLDS)] == [20] * FOLDS


def test_fit_best_fits_the_winner() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, TWO[:2])
    model = fit_best(inputs, labels, found, 0)
    assert isinstance(found.best.candidate, TreeSize)
    assert model.fitted.trees.max_leaf_nodes == found.best.candidate.leaves  # type: ignore[attr-defined]
    assert np.mean((model.probability(inputs) > 0.5) == labels) > 0.7


def test_the_learning_curve_grows_to_all_rows_of_a_fold() -> None:
    inputs, labels = make_table(3_000, 3, 1)
    found = searched(inputs, labels, SIZES[1:2])
    rows = [point.rows for point in found.curve]
    assert rows == sorted(rows)
    assert rows[-1] == 2_400
    assert len(rows) == 3
    assert found.curve[-1].auc > found.curve[0].auc


def test_more_rows_do_not_help_noise_and_few_rows_have_no_curve() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    assert [point.rows for point in searched(inputs, labels, TWO[:1]).curve] == [240]


class Recorded:
    """Collects what a progress bar is told."""

    def __init__(self) -> None:
        self.total, self.told = 0, 0

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open the bar."""
        assert title == "Search"
        self.total = total
        yield self._advance

    def _advance(self, done: int) -> None:
        assert done > 0
        self.told += done


@pytest.mark.parametrize("budget", [Budget(), Budget(trials=5), Budget(seconds=2.0)])
def test_the_bar_ends_full(budget: Budget) -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    bar = Recorded()
    search(inputs, labels, Folds(fold_of(labels, 0)), budget=budget, seed=0, progress=bar, first=TWO[:2])
    assert bar.told == bar.total > 0


def interrupted_after(fits: int) -> type[Inline]:
    class Interrupting(Inline):
        done = 0

        def wait(self, seconds: float | None) -> list[Done]:
            Interrupting.done += 1
            if Interrupting.done > fits:
                raise KeyboardInterrupt
            return super().wait(seconds)

    return Interrupting


def test_a_killed_search_goes_on_with_what_it_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    folds = Folds(fold_of(labels, 0))

    def run() -> Search:
        budget, kept = Budget(trials=6), tmp_path / "s"
        return search(
            inputs, labels, folds, budget=budget, seed=0, progress=Silent(), first=TWO[:2], resume=kept, key="this"
        )

    with monkeypatch.context() as patched:
        patched.setattr("training.search.run.Inline", interrupted_after(8))
        with pytest.raises(KeyboardInterrupt):
            run()
    found = run()
    assert found.resumed == 1
    assert len(found.trials) == 6
    assert sum(trial.candidate.name == "two" for trial in found.trials) == 1
    whole = searched(inputs, labels, TWO[:1])
    kept = next(trial for trial in found.trials if trial.candidate.name == "two")
    assert kept.log_loss == whole.best.log_loss
    again = run()
    assert again.resumed == 6
    assert again.best.candidate == found.best.candidate
    assert np.array_equal(again.best.raw, found.best.raw)


def test_a_kept_search_over_something_else_is_refused(tmp_path: Path) -> None:
    Proposals(TWO, ("boosted",), 0, halving=True, folder=tmp_path, key="this").close()
    with pytest.raises(DataError, match="keeps a search over another table, contract or seed"):
        Proposals(TWO, ("boosted",), 0, halving=True, folder=tmp_path, key="that")


def test_a_folder_that_cannot_keep_a_search(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match="cannot keep a search"):
        Proposals(TWO, ("boosted",), 0, halving=True, folder=tmp_path / "file" / "below", key="this")
    (tmp_path / "search.db").write_text("no database")
    with pytest.raises(DataError, match="cannot keep a search"):
        Proposals(TWO, ("boosted",), 0, halving=True, folder=tmp_path, key="this")


def test_lost_answers_of_a_kept_trial_are_not_believed(tmp_path: Path) -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    folds = Folds(fold_of(labels, 0))
    arguments = {"seed": 0, "progress": Silent(), "first": TWO[:1], "resume": tmp_path}
    search(inputs, labels, folds, budget=Budget(trials=1), **arguments)  # type: ignore[arg-type]
    for kept in tmp_path.glob("raw-*.npy"):
        kept.write_bytes(b"half")
    found = search(inputs, labels, folds, budget=Budget(trials=3), **arguments)  # type: ignore[arg-type]
    assert len(found.best.raw) == ROWS


def test_candidates_survive_the_way_to_a_worker() -> None:
    for candidate in (*SHIPPED, TreeSize("x", 4, 0.2, 9, 7, 0.5, 0.6, "lightgbm")):
        assert candidate_from(json.loads(json.dumps(asdict(candidate)))) == candidate


def test_families() -> None:
    assert read_families(" boosted , logistic,boosted") == ("boosted", "logistic")
    for bad in ("forest", "boosted,forest", "", ","):
        with pytest.raises(Misuse, match="choose from boosted, logistic, lightgbm"):
            read_families(bad)
    assert [candidate.family for candidate in shipped(("logistic",))] == ["logistic"]
    assert {candidate.family for candidate in shipped(("lightgbm",))} == {"lightgbm"}
    assert parameters(SIZES[0], ("logistic",)) == {}


def test_a_share_of_the_rows_is_drawn_once_and_for_all() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    material = Material(code(inputs), labels, Folds(fold_of(labels, 0)), None, 3)
    third = Task(0, SIZES[0], 1, 1 / 3)
    rows = learned_rows(material, third)
    assert len(rows) == 80
    assert np.array_equal(rows, learned_rows(material, third))
    assert set(rows) < set(learned_rows(material, Task(0, SIZES[0], 1)))
    assert not np.any(material.folds.held_out(1)[rows])
