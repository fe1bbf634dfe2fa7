"""Calibration against plain loops and scikit-learn; its interval covers as often as it says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from training.evaluation.calibration import BINS, calibration, calibration_error, log_losses, places, reliability
from training.evaluation.resample import Resampler

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


def arrays(pairs: list[tuple[float, int]]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    return np.array([p for p, _ in pairs]), np.array([y for _, y in pairs], np.int8)


def drawn(rows: int, seed: int, *, off: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Answers, and labels that are positive by `off` more often than they say."""
    rng = np.random.default_rng(seed)
    answers = rng.uniform(0.05, 0.85, rows)
    return answers, (rng.random(rows) < answers + off).astype(np.int8)


def by_loop(pairs: list[tuple[float, int]], bins: int = BINS) -> float:
    held: dict[int, list[tuple[float, int]]] = {}
    for p, y in pairs:
        held.setdefault(min(int(p * bins), bins - 1), []).append((p, y))
    return math.fsum(abs(math.fsum(p - y for p, y in part)) for part in held.values()) / len(pairs)


@settings(deadline=None, max_examples=60)
@given(PAIRS, st.integers(1, 20))
def test_the_error_is_its_definition(pairs: list[tuple[float, int]], bins: int) -> None:
    answers, labels = arrays(pairs)
    assert calibration_error(answers, labels, bins) == pytest.approx(by_loop(pairs, bins), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(PAIRS)
def test_all_figures_of_a_calibration(pairs: list[tuple[float, int]]) -> None:
    answers, labels = arrays(pairs)
    found = calibration(answers, labels, Resampler(len(labels)))
    assert found.error.value == pytest.approx(by_loop(pairs), abs=1e-12)
    assert found.brier.value == pytest.approx(brier_score_loss(labels, answers, pos_label=1), abs=1e-12)
    assert found.log_loss.value == pytest.approx(log_loss(labels, answers, labels=[0, 1]), rel=1e-9, abs=1e-12)
    assert sum(b.rows for b in found.bins) == len(pairs)
    assert math.fsum(b.rows * b.mean_probability for b in found.bins) == pytest.approx(answers.sum())
    assert math.fsum(b.rows * b.positives for b in found.bins) == pytest.approx(labels.sum())
    for one in found.bins:
        if one.low is not None and one.high is not None:
            assert 0 <= one.low <= one.positives <= one.high <= 1


def test_the_diagram_is_that_of_scikit_learn() -> None:
    answers, labels = drawn(4_000, 3)
    share, told = calibration_curve(labels, answers, n_bins=BINS)
    found = reliability(answers, labels)
    assert [mean for mean, _, _ in found] == pytest.approx(told)
    assert [positives for _, positives, _ in found] == pytest.approx(share)


@pytest.mark.parametrize(("answer", "place"), [(0.0, 0), (0.0999, 0), (0.1, 1), (0.5, 5), (0.9, 9), (1.0, 9)])
def test_where_an_answer_belongs(answer: float, place: int) -> None:
    assert places(np.array([answer]), 10).tolist() == [place]


def test_sure_and_wrong_is_dear_but_finite() -> None:
    losses = log_losses(np.array([0.0, 1.0, 0.0, 1.0]), np.array([1, 0, 0, 1], np.int8))
    assert np.isfinite(losses).all()
    assert losses[:2].tolist() == pytest.approx([36.04365] * 2, abs=1e-4)
    assert losses[2:].tolist() == pytest.approx([0.0, 0.0], abs=1e-12)


def test_an_error_that_is_there_is_beyond_chance_and_none_is_within() -> None:
    answers, labels = drawn(5_000, 1)
    right = calibration(answers, labels, Resampler(5_000))
    assert right.error.value < 3 * right.error_if_perfect
    wrong = calibration(*drawn(5_000, 1, off=0.1), Resampler(5_000))
    assert wrong.error.low is not None
    assert wrong.error.low > 3 * wrong.error_if_perfect
    assert wrong.error.value == pytest.approx(0.1, abs=0.02)


def test_what_chance_shows_shrinks_with_the_root_of_the_rows() -> None:
    few, many = (calibration(*drawn(rows, 2), Resampler(rows)).error_if_perfect for rows in (1_000, 16_000))
    assert few / many == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("name", ["brier", "log_loss"])
def test_intervals_cover_as_often_as_they_say(name: str) -> None:
    """The expectation over labels is known in closed form, so that no larger sample stands for the truth."""
    answers = np.random.default_rng(0).uniform(0.05, 0.95, 300)
    variance = answers * (1 - answers)
    entropy = -(answers * np.log(answers) + (1 - answers) * np.log(1 - answers))
    truth = float({"brier": variance, "log_loss": entropy}[name].mean())
    covered, tables = 0, 60
    for seed in range(tables):
        rng = np.random.default_rng(seed + 1)
        rows = rng.integers(0, 300, 300)
        labels = (rng.random(300) < answers[rows]).astype(np.int8)
        figure = getattr(calibration(answers[rows], labels, Resampler(300, seed=seed)), name)
        covered += figure.low <= truth <= figure.high
    assert covered >= 0.95 * tables - 3.5 * math.sqrt(0.05 * 0.95 * tables)


def test_rows_of_one_entity_are_no_evidence_of_their_own() -> None:
    answers, labels = drawn(200, 5)
    tenfold, many, entity = np.tile(answers, 10), np.tile(labels, 10), np.tile(np.arange(200), 10)
    once = calibration(answers, labels, Resampler(200)).brier
    together = calibration(tenfold, many, Resampler(2_000, entity)).brier
    alone = calibration(tenfold, many, Resampler(2_000)).brier

    def width(figure: object) -> float:
        return float(getattr(figure, "high")) - float(getattr(figure, "low"))  # noqa: B009 - either may be None

    assert width(together) == pytest.approx(width(once), rel=0.3)
    assert width(alone) < width(together) / 2


def test_constant_answers_are_one_bin() -> None:
    labels = (np.arange(1_000) < 300).astype(np.int8)
    found = calibration(np.full(1_000, 0.3), labels, Resampler(1_000))
    (one,) = found.bins
    assert (one.rows, one.positives) == (1_000, 0.3)
    assert found.error.value == pytest.approx(0, abs=1e-12)
    assert found.error.low == pytest.approx(0, abs=1e-12)
