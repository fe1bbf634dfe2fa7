"""Curves and areas of a ranking, with scikit-learn as the oracle, and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from training.evaluation.measured import Measured
from training.evaluation.ranking import Ranking, auc_of, rank, ranking
from training.evaluation.resample import Resampler, interval_of


def ranked(answers: NDArray[np.float64], labels: NDArray[np.int8]) -> Ranking:
    return ranking(rank(answers, labels), labels, Resampler(len(labels)))


def drawn(rows: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    rng = np.random.default_rng(seed)
    answers = rng.random(rows)
    return answers, (rng.random(rows) < answers).astype(np.int8)


def test_by_hand() -> None:
    found = ranked(np.array([0.9, 0.8, 0.3, 0.1]), np.array([1, 0, 1, 0], np.int8))
    assert found.auc.value == pytest.approx(0.75)
    assert found.average_precision.value == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found.auc.low is None  # four rows tell nothing about others


@settings(deadline=None)  # a busy machine is no defect
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=2, max_size=80))
def test_areas_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    answers = np.array([p / 12 for p, _ in pairs])
    labels = np.array([y for _, y in pairs], np.int8)
    if 0 < labels.sum() < len(labels):
        found = ranked(answers, labels)
        assert found.auc.value == pytest.approx(roc_auc_score(labels, answers))
        assert found.average_precision.value == pytest.approx(average_precision_score(labels, answers))


def test_curves_are_those_of_scikit_learn() -> None:
    answers, labels = drawn(3_000)
    found = ranked(answers, labels)
    false, true, _ = roc_curve(labels, answers)
    assert found.roc.y == pytest.approx(np.interp(found.roc.x, false, true), abs=1e-3)
    assert found.precision_recall.y[-1] == pytest.approx(labels.mean(), abs=0.02)
    assert list(found.roc.y) == sorted(found.roc.y)


def test_an_interval_covers_as_often_as_it_says() -> None:
    truth = roc_auc_score(*drawn(400_000, seed=99)[::-1])
    covered = 0
    for seed in range(60):
        answers, labels = drawn(500, seed)
        auc = ranked(answers, labels).auc
        assert auc.low is not None
        assert auc.high is not None
        covered += auc.low <= truth <= auc.high
    assert covered >= 51  # 57 are expected


def test_rows_of_an_entity_are_no_evidence_of_their_own() -> None:
    answers, labels = drawn(300)
    once = ranked(answers, labels).auc
    tenfold, many = np.tile(answers, 10), np.tile(labels, 10)
    entity = np.tile(np.arange(300), 10)
    groups = ranking(rank(tenfold, many), many, Resampler(3_000, entity)).auc
    alone = ranked(tenfold, many).auc
    assert groups.value == pytest.approx(once.value)
    assert width(groups) == pytest.approx(width(once), rel=0.3)
    assert width(alone) < width(groups) / 2


def width(figure: Measured) -> float:
    interval = interval_of(figure)
    assert interval is not None
    return interval.high - interval.low


def test_blocks_are_as_wide_as_rows() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(size=20_000)
    resampler = Resampler(20_000)
    assert resampler.blocks == 500
    found = resampler.measured(float(values.mean()), resampler.means(values)[:, 0])
    assert width(found) == pytest.approx(2 * 1.96 * values.std() / np.sqrt(20_000), rel=0.25)


def test_the_same_seed_gives_the_same_interval() -> None:
    answers, labels = drawn(300)
    assert ranked(answers, labels) == ranked(answers, labels)


def test_a_class_that_is_absent_has_no_area() -> None:
    assert np.isnan(auc_of(np.array([[3.0, 2.0]]), np.array([[0.0, 0.0]]))).all()


def test_what_no_resample_can_tell_stays_a_point() -> None:
    resampler = Resampler(50)
    low, high = resampler.band(np.array([0.5]), np.full((200, 1), np.nan))
    assert (low.tolist(), high.tolist()) == ([0.5], [0.5])


def test_groups_with_gaps_are_counted_as_they_are() -> None:
    resampler = Resampler(40, np.repeat([3, 900, 17, 4], 10))
    assert resampler.entities == 4
    assert len(np.unique(resampler.block_of)) == 4
    assert not resampler.known
