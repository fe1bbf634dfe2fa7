"""How well one feature alone ranks the label: by hand, against scikit-learn, and without fooling itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.describe.kinds import round_up
from training.describe.single import auc, judged_rows, single_auc

RANDOM = np.random.default_rng(3)


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 3.0])), min_size=2, max_size=60))
def test_auc_is_scikit_learns(rows: list[tuple[int, float]]) -> None:
    rows += [(0, 0.5), (1, 0.5)]
    labels = np.array([row[0] for row in rows], np.int8)
    scores = np.array([row[1] for row in rows])
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_noise_of_any_kind_stays_near_a_half() -> None:
    labels = (RANDOM.random(4_000) < 0.2).astype(np.int8)
    for values in (RANDOM.random(4_000), RANDOM.integers(0, 2_000, 4_000), RANDOM.permutation(4_000)):
        assert single_auc(values, labels) < 0.54


def test_a_number_is_judged_in_any_shape() -> None:
    labels = (RANDOM.random(4_000) < 0.3).astype(np.int8)
    rising = labels + RANDOM.normal(0, 0.1, 4_000)
    assert single_auc(rising, labels) > 0.99
    assert single_auc(-rising, labels) > 0.99
    either_side = np.where(labels == 1, 1.0, RANDOM.choice([-3.0, 3.0], 4_000)) + RANDOM.normal(0, 0.1, 4_000)
    assert single_auc(either_side, labels) > 0.97
    gaps = np.where(labels == 1, np.nan, RANDOM.random(4_000))
    assert single_auc(gaps, labels) > 0.99
    assert single_auc(np.full(4_000, np.nan), labels) < 0.52


def test_codes_that_name_the_label() -> None:
    labels = (RANDOM.random(4_000) < 0.3).astype(np.int8)
    assert single_auc(labels.astype(np.int32) + 4, labels) == 1.0


def test_many_rows_are_sampled_the_same_way_each_time() -> None:
    assert judged_rows(10).tolist() == list(range(10))
    first = judged_rows(200_000)
    assert len(np.unique(first)) == 50_000
    assert first.tolist() == judged_rows(200_000).tolist()


@given(st.floats(1e-290, 1e290))
def test_rounding_up_stays_near_and_above(value: float) -> None:
    assert value <= round_up(value) <= value * 2.5 * (1 + 1e-6)


@pytest.mark.parametrize(
    ("value", "expected"), [(72, 100), (100, 100), (118.75, 200), (8684.8, 10_000), (0.07, 0.1), (0.2511, 0.5), (5, 5)]
)
def test_rounding_up_gives_readable_numbers(value: float, expected: float) -> None:
    assert round_up(value) == expected
