"""The search compares sizes out of fold, and keeps to its budget by the pace it measured."""

from collections.abc import Iterator

import numpy as np
import pytest

from ebb.errors import DataError
from tests.fakes.tables import make_table
from training import folds
from training.fit import TreeSize
from training.progress import Silent
from training.search import SIZES, fit_best, search

TWO = (TreeSize("two", 2, 0.3, 4), TreeSize("four", 4, 0.3, 4), TreeSize("huge", 31, 0.3, 400))
ROWS = 300


def ticking(step: float) -> Iterator[float]:
    at = 0.0
    while True:
        yield at
        at += step


def test_every_size_is_tried_without_a_budget() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = search(inputs, labels, seconds=None, seed=0, progress=Silent(), sizes=TWO[:2])
    assert [trial.size.name for trial in found.trials] == ["two", "four"]
    assert found.skipped == ()
    assert found.best.log_loss == min(trial.log_loss for trial in found.trials)
    assert found.best.auc > 0.7


def test_the_first_always_finishes_and_the_rest_is_skipped() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = search(inputs, labels, seconds=0, seed=0, progress=Silent(), sizes=TWO)
    assert [trial.size.name for trial in found.trials] == ["two"]
    assert found.skipped == ("four", "huge")


def test_only_what_would_overrun_is_skipped() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    clock = ticking(1.0)  # a trial takes one second by this clock; `huge` is expected to take hundreds
    found = search(inputs, labels, seconds=60, seed=0, progress=Silent(), sizes=TWO, clock=lambda: next(clock))
    assert [trial.size.name for trial in found.trials] == ["two", "four"]
    assert found.skipped == ("huge",)


def test_same_seed_same_answers_other_seed_others() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    raws = [
        search(inputs, labels, seconds=None, seed=seed, progress=Silent(), sizes=TWO[:1]).best.raw for seed in (0, 0, 1)
    ]
    assert np.array_equal(raws[0], raws[1])
    assert not np.array_equal(raws[0], raws[2])


def test_out_of_fold_answers_do_not_know_their_own_label() -> None:
    inputs, _ = make_table(2_000, 3, 2)
    noise = (np.random.default_rng(5).random(2_000) < 0.5).astype(np.int8)
    found = search(inputs, noise, seconds=None, seed=0, progress=Silent(), sizes=SIZES[:1])
    assert found.best.auc == pytest.approx(0.5, abs=0.05)


def test_processes_give_the_bits_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    alone = search(inputs, labels, seconds=None, seed=0, progress=Silent(), sizes=TWO[:1])
    monkeypatch.setattr(folds, "ROWS_WORTH_PROCESSES", 1)
    monkeypatch.setattr(folds, "cpu_count", lambda: 2)
    together = search(inputs, labels, seconds=None, seed=0, progress=Silent(), sizes=TWO[:1])
    assert np.array_equal(alone.best.raw, together.best.raw)


def test_too_few_of_a_class() -> None:
    inputs, labels = make_table(ROWS, 2, 0)
    labels[:] = 0
    labels[:9] = 1
    with pytest.raises(DataError, match="only 9 of 300 rows have the rarer label"):
        search(inputs, labels, seconds=None, seed=0, progress=Silent())


def test_folds_are_stratified() -> None:
    labels = (np.arange(1_000) % 10 == 0).astype(np.int8)
    fold = folds.fold_of(labels, 0)
    assert [int(labels[fold == k].sum()) for k in range(folds.FOLDS)] == [20] * folds.FOLDS


def test_fit_best_fits_the_winner() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = search(inputs, labels, seconds=None, seed=0, progress=Silent(), sizes=TWO[:2])
    model = fit_best(inputs, labels, found, 0)
    assert model.fitted.trees.max_leaf_nodes == found.best.size.leaves
    assert np.mean((model.probability(inputs) > 0.5) == labels) > 0.7
