"""The bootstrap against plain loops: sums by block, whole entities, intervals that cover."""

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training.evaluation.measured import Interval, Measured
from training.evaluation.resample import RESAMPLES, Resampler, interval_of

ROWS = st.lists(st.tuples(st.integers(0, 8), st.integers(-1, 3), st.floats(-100, 100)), min_size=1, max_size=60)


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_sums_by_block_are_those_of_a_loop(rows: list[tuple[int, int, float]]) -> None:
    groups = np.array([group for group, _, _ in rows])
    codes = np.array([code for _, code, _ in rows])
    values = np.array([value for _, _, value in rows])
    resampler = Resampler(len(rows), groups)
    held: dict[tuple[int, int], list[float]] = defaultdict(list)
    for block, code, value in zip(resampler.block_of.tolist(), codes.tolist(), values.tolist(), strict=True):
        if code >= 0:
            held[block, code].append(value)
    told, counted = resampler.by_block(codes, 4, values), resampler.by_block(codes, 4)
    for block in range(resampler.blocks):
        for code in range(4):
            assert told[block, code] == pytest.approx(math.fsum(held[block, code]), abs=1e-9)
            assert counted[block, code] == len(held[block, code])
    cells = resampler.cells(codes, 4, values)
    assert cells == pytest.approx(resampler.weights @ told)
    assert cells.shape == (RESAMPLES, 4)


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_an_entity_is_never_torn_apart(rows: list[tuple[int, int, float]]) -> None:
    groups = np.array([group * 1_000 for group, _, _ in rows])
    resampler = Resampler(len(rows), groups)
    assert resampler.entities == len(np.unique(groups))
    for group in np.unique(groups):
        assert len(np.unique(resampler.block_of[groups == group])) == 1


def test_entities_are_dealt_out_evenly() -> None:
    resampler = Resampler(12_345)
    counts = np.bincount(resampler.block_of)
    assert len(counts) == resampler.blocks == 500
    assert np.ptp(counts) <= 1


def test_every_resample_has_as_many_blocks() -> None:
    resampler = Resampler(777)
    assert resampler.weights.shape == (RESAMPLES, 500)
    assert set(resampler.weights.sum(axis=1).tolist()) == {500.0}


def test_sums_and_means_of_all_rows() -> None:
    random = np.random.default_rng(0)
    values, ones = random.random(400), np.ones(400)
    resampler = Resampler(400)
    sums = resampler.sums(values, ones)
    assert resampler.means(values)[:, 0] == pytest.approx(sums[:, 0] / sums[:, 1])
    assert float(np.min(resampler.means(ones))) == pytest.approx(1.0)
    assert float(sums[:, 1].mean()) == pytest.approx(400)


def test_no_rows_are_no_entities() -> None:
    resampler = Resampler(0)
    assert (resampler.entities, resampler.known) == (0, False)
    assert resampler.measured(0.5, np.full(RESAMPLES, 0.5)) == Measured(0.5, None, None)


@pytest.mark.parametrize(("entities", "known"), [(9, False), (10, True)])
def test_ten_entities_tell_an_interval(entities: int, known: bool) -> None:
    resampler = Resampler(90, np.arange(90) % entities)
    assert resampler.known is known
    interval = interval_of(resampler.measured(0.5, np.random.default_rng(0).random(RESAMPLES)))
    assert (interval is not None) is known


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 1), st.integers(0, 2**31), st.integers(0, RESAMPLES))
def test_an_interval_holds_its_point_and_stays_in_range(point: float, seed: int, gaps: int) -> None:
    samples = np.random.default_rng(seed).normal(point, 0.5, RESAMPLES)
    samples[:gaps] = np.nan
    figure = Resampler(50).measured(point, samples, 0, 1)
    assert figure.low is not None
    assert figure.high is not None
    assert 0 <= figure.low <= point <= figure.high <= 1


def test_a_shift_of_every_resample_shifts_nothing() -> None:
    """Binning makes each resample's calibration error too large: the interval still lies around the point."""
    samples = np.random.default_rng(1).normal(0.2, 0.01, RESAMPLES)
    plain, shifted = (Resampler(50).measured(0.2, samples + by) for by in (0.0, 0.07))
    assert [shifted.low, shifted.high] == pytest.approx([plain.low, plain.high])


def test_an_interval_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(2).normal(5.0, 2.0, 2_000)
    resampler = Resampler(2_000)
    figure = interval_of(resampler.measured(float(values.mean()), resampler.means(values)[:, 0]))
    assert figure is not None
    low, high = stats.norm.interval(0.95, values.mean(), values.std(ddof=1) / math.sqrt(2_000))
    assert figure.high - figure.low == pytest.approx(high - low, rel=0.2)
    assert (figure.low + figure.high) / 2 == pytest.approx(values.mean(), abs=0.02)


@pytest.mark.parametrize(("entities", "each"), [(40, 1), (40, 5), (800, 3)])
def test_the_mean_is_covered_as_often_as_said_whatever_an_entity_has(entities: int, each: int) -> None:
    """Rows of an entity are alike (half of their variance is shared): rows for entities would cover far less."""
    covered, tables = 0, 120
    for seed in range(tables):
        random = np.random.default_rng(seed)
        shared = np.repeat(random.normal(size=entities), each)
        values = shared + random.normal(size=entities * each)
        resampler = Resampler(len(values), np.repeat(np.arange(entities), each), seed)
        interval = interval_of(resampler.measured(float(values.mean()), resampler.means(values)[:, 0]))
        assert interval is not None
        covered += interval.low <= 0 <= interval.high
    # percentiles of forty entities are a little too narrow, by the root of 39/40 and Student's tails
    assert covered >= 0.93 * tables - 3.5 * math.sqrt(0.05 * 0.95 * tables)


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    one, same, other = Resampler(100, seed=1), Resampler(100, seed=1), Resampler(100, seed=2)
    assert np.array_equal(one.weights, same.weights)
    assert np.array_equal(one.block_of, same.block_of)
    assert not np.array_equal(one.weights, other.weights)


@pytest.mark.parametrize(
    ("figure", "interval"),
    [
        (Measured(0.5, 0.1, 0.9), Interval(0.1, 0.9)),
        (Measured(0.5, None, None), None),
        (Measured(0.5, 0.1, None), None),
        (Measured(0.5, 0.0, 0.0), Interval(0.0, 0.0)),
    ],
)
def test_a_figure_without_both_ends_has_no_interval(figure: Measured, interval: Any) -> None:
    assert interval_of(figure) == interval
