"""Target encoding is scikit-learn's, at the cost of a count; lines and trees fit the same coded rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from ebb.features.inputs import Inputs
from tests.fakes.tables import make_table
from training.fit import Coded, Linear, TreeSize, code, fit_candidate, fit_logistic
from training.fit.encoding import INNER_FOLDS, crossfit_encoding, fit_encoding
from training.fit.logistic import FARTHEST

TEXTS = ["", "a", "b", "Ж", "missing", "0"]


def texts_of(values: list[str]) -> Inputs:
    return Inputs(np.zeros((len(values), 0), np.float32), np.array(values, object)[:, None])


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=50))
def test_codes_say_the_texts_again(values: list[str]) -> None:
    coded = code(texts_of(values))
    assert coded.names[0][0] == ""
    assert len(set(coded.names[0])) == len(coded.names[0])
    assert [coded.names[0][c] for c in coded.codes[:, 0]] == values
    assert code(coded) is coded


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(40, 300))
def test_encoding_is_that_of_scikit_learn(seed: int, different: int, rows: int) -> None:
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.3).astype(np.int8)
    labels[:INNER_FOLDS], labels[-INNER_FOLDS:] = 0, 1
    values = np.array([f"t{v}" if v else "" for v in random.integers(0, different, rows)], object)
    coded = code(texts_of(values.tolist()))
    folds = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=seed)
    oracle = TargetEncoder(target_type="binary", cv=folds)
    crossed = oracle.fit_transform(values[:, None], labels)
    np.testing.assert_allclose(crossfit_encoding(coded, labels, seed)[:, 0], crossed[:, 0], rtol=1e-6)
    ours = fit_encoding(coded, labels)
    np.testing.assert_allclose(ours.columns(coded)[:, 0], oracle.transform(values[:, None])[:, 0], rtol=1e-6)
    assert list(ours.learned(0)) == sorted(set(values.tolist()))


def test_what_was_not_learned_is_worth_the_mean() -> None:
    coded = Coded(np.zeros((4, 0), np.float32), np.array([[1], [1], [2], [2]], np.int32), (("", "a", "b", "never"),))
    encoding = fit_encoding(coded, np.array([0, 0, 0, 1], np.int8))
    assert list(encoding.learned(0)) == ["a", "b"]
    there = encoding.columns(code(texts_of(["never", "", "elsewhere"])))
    assert there[:, 0].tolist() == [0.25] * 3
    same_names = encoding.columns(Coded(coded.numbers[:1], np.array([[3]], np.int32), coded.names))
    assert same_names[0, 0] == 0.25


def test_an_entity_stays_in_one_inner_fold() -> None:
    rows = 400
    random = np.random.default_rng(0)
    groups = random.integers(0, 80, rows)
    labels = (groups % 3 == 0).astype(np.int8)
    values = [f"e{g}" for g in groups]  # the entity itself as a category: nothing of it may be learned
    apart = crossfit_encoding(code(texts_of(values)), labels, 0, groups)
    assert len(np.unique(apart)) == INNER_FOLDS, "each row has the mean of the rows outside its fold"
    together = crossfit_encoding(code(texts_of(values)), labels, 0)
    assert np.corrcoef(together[:, 0], labels)[0, 1] > 0.9, "rows of the same entity would tell the label"


def test_no_category_no_encoding() -> None:
    coded = code(Inputs(np.zeros((10, 2), np.float32), np.empty((10, 0), object)))
    labels = np.array([0, 1] * 5, np.int8)
    assert crossfit_encoding(coded, labels, 0).shape == (10, 0)
    assert fit_encoding(coded, labels).columns(coded).shape == (10, 0)


def test_a_line_finds_a_line() -> None:
    random = np.random.default_rng(1)
    numbers = random.normal(5, 3, (4_000, 2)).astype(np.float32)
    true = 1.5 * (numbers[:, 0] - 5) / 3
    labels = (random.random(4_000) < 1 / (1 + np.exp(-true))).astype(np.int8)
    model = fit_logistic(Inputs(numbers, np.empty((4_000, 0), object)), labels, Linear("line", 1.0), 0)
    assert model.weights == pytest.approx([1.5, 0.0], abs=0.15)
    assert model.missing_weights.tolist() == [0.0, 0.0], "nothing was missing"


def test_missing_has_its_own_weight_and_wild_values_count_as_far() -> None:
    random = np.random.default_rng(2)
    numbers = random.normal(0, 1, (3_000, 1)).astype(np.float32)
    gone = random.random(3_000) < 0.3
    labels = (random.random(3_000) < np.where(gone, 0.9, 0.2)).astype(np.int8)
    numbers[gone] = np.nan
    none = np.empty((3_000, 0), object)
    model = fit_logistic(Inputs(numbers, none), labels, Linear("line", 1.0), 0)
    assert model.missing_weights[0] > 2
    ends = Inputs(np.array([[1e30], [FARTHEST * model.scale[0] + model.centre[0]]], np.float32), none[:2])
    wild, far = model.raw(ends)
    assert wild == pytest.approx(far, abs=1e-3)


@pytest.mark.parametrize("candidate", [Linear("line", 1.0), TreeSize("tiny", 4, 0.3, 10)])
@pytest.mark.parametrize("shape", [(2, 0), (0, 2), (3, 2)])
def test_every_family_fits_any_shape_with_the_same_bits(candidate: Linear | TreeSize, shape: tuple[int, int]) -> None:
    inputs, labels = make_table(400, *shape)
    first, second = (fit_candidate(candidate, rows, labels, seed=3) for rows in (inputs, code(inputs)))
    assert first.family == candidate.family
    assert np.array_equal(first.raw(inputs), second.raw(code(inputs)))
    assert np.isfinite(first.raw(inputs)).all()


@pytest.mark.parametrize("candidate", [Linear("line", 1.0), TreeSize("tiny", 4, 0.3, 10)])
def test_a_column_without_any_value(candidate: Linear | TreeSize) -> None:
    inputs, labels = make_table(400, 2, 0)
    inputs.numbers[:, 1] = np.nan
    model = fit_candidate(candidate, inputs, labels, seed=0)
    assert np.isfinite(model.raw(inputs)).all()
