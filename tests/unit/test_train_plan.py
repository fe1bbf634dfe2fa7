"""A large table takes what its budget can pay: folds are given up first, then rows, and never more than is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.searched import searched
from tests.fakes.tables import TINY, make_table
from training.calibrate import crossfit_platt, fit_platt
from training.fit import Coded, TreeSize, code
from training.folds import FOLDS, LEFT_OUT, NEVER, Folds, fold_of, temporal_folds
from training.progress import Silent
from training.search import Budget, Search, fit_best, pace, plan, search
from training.search.pace import Pace, measured
from training.search.plan import Plan, given_up, make_plan, narrowed
from training.search.task import Done, Material, Task, learned_rows
from training.search.time_left import REFIT

ROWS = 2_000
SMALL = (TreeSize("two", 2, 0.3, 4), TreeSize("four", 4, 0.3, 4))


def material_of(rows: int = ROWS, rarer: float = 0.5) -> Material:
    """Return a table without a single column: only its rows, labels and folds matter here."""
    labels = (np.arange(rows) % round(1 / rarer) == 0).astype(np.int8)
    empty = Coded(np.zeros((rows, 0), np.float32), np.zeros((rows, 0), np.int32), ())
    return Material(empty, labels, Folds(fold_of(labels, 0)), None, 0)


@pytest.fixture
def tiny_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a table of 2,000 rows count as large, with 500 as the least."""
    monkeypatch.setattr(plan, "LARGE_CELLS", 1)
    monkeypatch.setattr(plan, "_LEAST_ROWS", 500)
    monkeypatch.setattr(plan, "_JUDGING", 20)


@pytest.mark.parametrize("budget", [Budget(seconds=0), Budget(seconds=1), Budget(), Budget(trials=3)])
def test_a_small_table_and_one_without_seconds_give_up_nothing(budget: Budget) -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    material = Material(code(inputs), labels, Folds(fold_of(labels, 0)), None, 0)
    assert make_plan(material, TINY, budget, Silent(), slots=2) == Plan(FOLDS)


def test_120_000_rows_of_32_features_are_no_large_table() -> None:
    assert 120_000 * 32 < plan.LARGE_CELLS <= 300_000 * 20


@pytest.mark.usefixtures("tiny_is_large")
@pytest.mark.parametrize(("workers", "folds"), [(1, 1), (2, 2), (8, 5)])
def test_without_time_the_least_is_taken_and_a_release_comes_out(workers: int, folds: int) -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, SMALL, budget=Budget(seconds=0, workers=workers))
    assert (found.folds.count, found.folds.of) == (folds, FOLDS)
    assert int(found.folds.used.sum()) == 500
    assert [trial.state for trial in found.trials] == ["complete"]
    assert np.array_equal(~np.isnan(found.best.raw), found.folds.held)
    assert found.best.auc > 0.7
    told = given_up(found.folds)
    assert "it learned from 500 of 2,000 rows, drawn by the seed" in told
    assert (f"only {folds} of 5 folds judge" in told) is (folds < FOLDS)


@pytest.mark.usefixtures("tiny_is_large")
def test_the_model_is_of_the_rows_that_were_used() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    groups = np.arange(ROWS) // 2
    found = searched(inputs, labels, SMALL, groups=groups, budget=Budget(seconds=0, workers=2))
    used = np.flatnonzero(found.folds.used)
    alone = replace(found, folds=Folds(np.zeros(len(used), np.int8), 1), best=replace(found.best, raw=np.zeros(500)))
    model = fit_best(inputs, labels, found, 0, groups)
    expected = fit_best(inputs.rows(used), labels[used], alone, 0, groups[used])
    assert np.array_equal(model.fitted.raw(inputs), expected.fitted.raw(inputs))
    assert 0.05 < float(np.mean(model.probability(inputs))) < 0.95


@pytest.mark.usefixtures("tiny_is_large")
def test_with_time_enough_nothing_is_given_up_of_a_large_table() -> None:
    inputs, labels = make_table(ROWS, 2, 1)
    found = searched(inputs, labels, SMALL, budget=Budget(seconds=300, trials=1, workers=1))
    assert given_up(found.folds) == ""
    whole = searched(inputs, labels, SMALL, budget=Budget(trials=1))
    assert np.array_equal(found.best.raw, whole.best.raw)


_MATERIAL = material_of()
TOTALS = st.floats(0.0, 1e6)
PACES = st.builds(Pace, st.floats(0.0, 20.0), st.floats(1e-6, 1.0))


@settings(max_examples=200, deadline=None)
@given(PACES, TOTALS, TOTALS, st.integers(1, 9))
def test_more_seconds_never_buy_less_and_only_the_least_overruns(
    paced: Pace, seconds: float, more: float, slots: int
) -> None:
    material, least = _MATERIAL, Plan(min(slots, FOLDS), 0.1)
    low, high = sorted((seconds, more))
    poor, rich = (plan._chosen(material, paced, least, each, slots) for each in (low, high))
    assert (poor.folds, poor.share) <= (rich.folds, rich.share)
    for chosen, had in ((poor, low), (rich, high)):
        assert least.folds <= chosen.folds <= FOLDS
        assert least.share <= chosen.share <= 1
        assert chosen.share == 1 or chosen.folds == least.folds, "rows are given up last"
        learned = 1_600 * chosen.share
        costs = (np.ceil(chosen.folds / slots) + REFIT) * paced.seconds(learned)
        assert chosen == least or costs <= had * (1 + 1e-9) + paced.each


@pytest.mark.parametrize(("rarer", "folds", "share"), [(0.5, 2, 0.1), (0.005, 2, 0.5), (0.001, 3, 1.0)])
def test_a_rare_label_keeps_folds_and_rows(rarer: float, folds: int, share: float) -> None:
    """Of a million rows 0.5 % are rare: half of them hold 2,500. Of 0.1 % all are needed, and two folds too few."""
    least = plan._least(material_of(1_000_000, rarer), 2)
    assert least.folds == folds
    assert least.share == pytest.approx(share)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, FOLDS),
    st.floats(0.05, 1.0),
    st.booleans(),
    st.integers(0, 99),
)
def test_what_is_left_out_neither_judges_nor_teaches(count: int, share: float, by_time: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 600).astype(np.int8)
    times = np.asarray(random.random(600) * 1e7, np.float64)
    before = temporal_folds(times, labels, gap=1e5) if by_time else Folds(fold_of(labels, seed))
    count = min(count, before.count)
    after = narrowed(before, Plan(count, share), seed)
    assert (after.count, after.of) == (count, before.count)
    assert int(after.used.sum()) == max(1, round(600 * share)) if share < 1 else after.used.all()
    assert np.array_equal(after.fold, narrowed(before, Plan(count, share), seed).fold)
    for k in range(count):
        origin = k + before.count - count
        assert np.array_equal(after.held_out(k), before.held_out(origin) & after.used)
        if after.held_out(k).any():
            learned = after.learned(k)
            assert not np.any(learned & (~after.used | after.held_out(k)))
            if not by_time:
                assert np.array_equal(learned, before.learned(origin) & after.used)
    dropped = before.held & after.used & ~after.held
    assert set(after.fold[dropped].tolist()) <= {NEVER}
    assert set(after.fold[~after.used].tolist()) <= {LEFT_OUT}
    assert bool(given_up(after)) is (count < before.count or not after.used.all())


def test_rows_of_folds_and_material_belong_together() -> None:
    inputs, labels = make_table(300, 2, 1)
    times = np.arange(300).astype(np.float64) * 1e5
    folds = temporal_folds(times, labels, gap=0.0)
    index = np.arange(0, 300, 3)
    some = Material(code(inputs), labels, folds, np.arange(300), 4).rows(index)
    assert np.array_equal(some.folds.fold, folds.fold[index])
    assert some.folds.times is not None
    assert np.array_equal(some.folds.times, times[index])
    assert some.groups is not None
    assert np.array_equal(some.groups, index)
    assert np.array_equal(some.labels, labels[index])
    assert len(some.coded) == len(index)
    assert len(learned_rows(some, Task(0, TINY, folds.count - 1))) > 0


def test_the_pace_of_a_candidate_grows_with_its_rows() -> None:
    inputs, labels = make_table(40_000, 2, 0)
    material = Material(code(inputs), labels, Folds(fold_of(labels, 0)), None, 0)
    found = measured(material, SMALL[0], seconds=1e6)
    assert found is not None
    assert 0 < found.seconds(10_000) < found.seconds(1_000_000)
    assert found.rows(found.seconds(12_345)) == pytest.approx(12_345)
    assert found.rows(found.fixed / 2) == 0


def test_a_candidate_that_cannot_be_fitted_has_no_pace() -> None:
    inputs, labels = make_table(400, 2, 0)
    material = Material(code(inputs), labels, Folds(fold_of(labels, 0)), None, 0)
    assert measured(material, TreeSize("broken", 1, 0.3, 4), seconds=100.0) is None


def test_a_hiccup_makes_no_row_cheap() -> None:
    """The longer measurement may come out as the quicker one on a busy machine."""
    done = [Done(Task(0, TINY, 0), np.zeros(1), rows, seconds) for rows, seconds in ((8_000, 4.0), (32_000, 3.9))]
    assert pace._line(done).each > 3.9 / 32_000 / 2
    assert pace._line(done[:1]).each > 4.0 / 8_000


def test_a_stratified_fold_alone_is_calibrated_by_its_own_halves() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 4_000).astype(np.int8)
    raw = 3 * (labels - 0.5) + 3 * random.normal(size=4_000)
    fold = np.where(np.arange(4_000) < 3_000, 0, -1).astype(np.int8)
    found = crossfit_platt(raw, labels, fold)
    assert np.array_equal(np.isnan(found), fold < 0)
    whole = fit_platt(raw[:3_000], labels[:3_000]).probability(raw[:3_000])
    assert not np.array_equal(found[:3_000], whole)
    assert np.max(np.abs(found[:3_000] - whole)) < 0.05


def _kept(folder: Path, budget: Budget) -> Search:
    inputs, labels = make_table(ROWS, 2, 1)
    folds = Folds(fold_of(labels, 0))
    return search(inputs, labels, folds, budget=budget, seed=0, progress=Silent(), first=SMALL, resume=folder)


@pytest.mark.usefixtures("tiny_is_large")
def test_a_search_that_goes_on_judges_as_it_began(tmp_path: Path) -> None:
    first = _kept(tmp_path, Budget(seconds=0, workers=2))
    again = _kept(tmp_path, Budget(trials=3, workers=1))
    assert again.resumed == 1
    assert np.array_equal(again.folds.fold, first.folds.fold)
    assert {len(trial.raw) for trial in again.trials} <= {0, ROWS}


@pytest.mark.usefixtures("tiny_is_large")
def test_one_that_was_kept_before_there_were_plans_used_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("training.search.proposals.Proposals.keep_plan", lambda _self, _plan: None)
        _kept(tmp_path, Budget(trials=1))
    assert given_up(_kept(tmp_path, Budget(seconds=0, workers=2)).folds) == ""
