"""The graph of every family answers what its model answers, whatever the table."""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import training.fit.lightgbm as light
from ebb.errors import Misuse
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from tests.fakes.fitted import FAMILIES, candidate_of, fit_family
from tests.fakes.tables import contract_for, make_table
from training.calibrate import Model, Platt, fit_platt
from training.export import export
from training.export.edges import around
from training.export.parity import parity
from training.export.parity_rows import UNSEEN
from training.export.trees import flat_trees, split_thresholds
from training.fit import Linear, Logistic, TreeSize, fit_candidate
from training.fit.lightgbm import LightTrees, fit_lightgbm

QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EACH = pytest.mark.parametrize("family", FAMILIES)


@EACH
@QUICK
@given(
    shape=st.tuples(st.integers(0, 4), st.integers(0, 3)).filter(any),
    rows=st.integers(60, 300),
    most=st.integers(1, 40),
    leaves=st.integers(2, 31),
    seed=st.integers(0, 1000),
    constant=st.booleans(),
)
def test_graph_equals_model(
    family: str, shape: tuple[int, int], rows: int, most: int, leaves: int, seed: int, constant: bool
) -> None:
    inputs, labels = make_table(rows, *shape, seed=seed, most=most)
    labels[:10] = np.arange(10) % 2
    if constant:
        inputs.numbers[:, :1] = np.float32(0.1)
    model = fit_family(family, inputs, labels, leaves=leaves)
    scorer = OnnxScorer(export(model, *shape))
    found = parity(model, scorer, contract_for(*shape), inputs, rows=1_000, seed=seed)
    assert found.rows > 1_000
    assert found.largest <= 1e-6


@EACH
def test_same_fit_same_bytes_and_another_label_others(family: str) -> None:
    inputs, labels = make_table(300, 3, 2)
    graph = export(fit_family(family, inputs, labels), 3, 2)
    assert export(fit_family(family, inputs, labels), 3, 2) == graph
    assert export(fit_family(family, inputs, 1 - labels), 3, 2) != graph


@EACH
def test_a_row_alone_has_the_bits_of_the_batch(family: str) -> None:
    inputs, labels = make_table(700, 19, 3, most=30)
    scorer = OnnxScorer(export(fit_family(family, inputs, labels), 19, 3))
    batch = scorer.score(inputs)
    for size in (1, 3, 64, 599):
        parts = [scorer.score(inputs.rows(slice(i, i + size))) for i in range(0, len(inputs), size)]
        assert np.array_equal(batch, np.concatenate(parts)), size


def test_a_line_adds_in_one_order_also_in_double() -> None:
    """Compared before the answer is rounded to float32, which hides almost every difference."""
    inputs, labels = make_table(300, 37, 0)
    graph = onnx.load_from_string(export(fit_family("logistic", inputs, labels), 37, 0))
    del graph.graph.output[:]
    graph.graph.output.append(helper.make_tensor_value_info("raw_calibrated", TensorProto.DOUBLE, [None]))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    batch = session.run(None, {"numbers": inputs.numbers})[0]
    alone = [session.run(None, {"numbers": inputs.numbers[i : i + 1]})[0] for i in range(len(inputs))]
    assert batch.dtype == np.float64
    assert np.array_equal(batch, np.concatenate(alone))


@EACH
def test_missing_where_training_had_none(family: str) -> None:
    """LightGBM takes it for 0 there: every threshold has 0 on one side, and both sides must be met."""
    inputs, labels = make_table(600, 3, 0, seed=4)
    whole = Inputs(np.nan_to_num(inputs.numbers), inputs.categories)
    model = fit_family(family, whole, labels, leaves=16, trees=20)
    scorer = OnnxScorer(export(model, 3, 0))
    for j in range(3):
        holed = Inputs(whole.numbers.copy(), whole.categories)
        holed.numbers[:, j] = np.nan
        assert np.abs(scorer.score(holed) - model.probability(holed)).max() <= 1e-6
    if isinstance(model.fitted, LightTrees):
        assert 0 < flat_trees(model.fitted).missing_left.sum() < (~flat_trees(model.fitted).leaf).sum()


def test_missing_goes_where_lightgbm_learned_it_goes() -> None:
    inputs, labels = make_table(800, 2, 0, seed=5)
    inputs.numbers[labels == 1, 1] = np.nan
    model = fit_family("lightgbm", inputs, labels, leaves=8)
    scorer = OnnxScorer(export(model, 2, 0))
    found = parity(model, scorer, contract_for(2, 0), inputs, rows=2_000)
    gone = Inputs(inputs.numbers.copy(), inputs.categories)
    gone.numbers[:, 1] = np.nan
    assert scorer.score(gone).mean() > labels.mean()
    assert found.largest <= 1e-6


def test_lightgbm_takes_what_is_next_to_zero_for_zero() -> None:
    values = np.array([-1.0, 0.0, 1.0], np.float32)
    numbers = np.tile(values, 200)[:, None]
    labels = np.tile(np.array([0, 1, 0], np.int8), 200)
    model = fit_family("lightgbm", Inputs(numbers, np.empty((600, 0), object)), labels, trees=3)
    thresholds = split_thresholds(model.fitted)[0]
    assert (np.abs(thresholds) < 2e-35).any(), "one of its thresholds is its zero"
    near = np.unique(np.concatenate([around(thresholds), -around(thresholds), values]))[:, None]
    rows = Inputs(near, np.empty((len(near), 0), object))
    assert np.abs(OnnxScorer(export(model, 1, 0)).score(rows) - model.probability(rows)).max() <= 1e-6


@EACH
def test_an_unseen_category_is_an_average_one(family: str) -> None:
    inputs, labels = make_table(300, 1, 2)
    model = fit_family(family, inputs, labels)
    unseen = inputs.rows(slice(0, 20))
    unseen.categories[:, 1] = UNSEEN
    assert np.abs(OnnxScorer(export(model, 1, 2)).score(unseen) - model.probability(unseen)).max() <= 1e-6


@EACH
def test_a_text_is_looked_up_in_its_own_column_only(family: str) -> None:
    """One table holds all columns: a text of one must mean nothing in another."""
    texts = np.array([["a", "1:a"], ["1:a", "b"], ["0:a", "a"], ["b", "0:b"]] * 50, object)
    labels = np.array([1, 0, 1, 0] * 50, np.int8)
    rows = Inputs(np.empty((200, 0), np.float32), texts)
    model = fit_family(family, rows, labels)
    scorer = OnnxScorer(export(model, 0, 2))
    for swapped in (texts, texts[:, ::-1], np.roll(texts, 1, axis=0)):
        asked = Inputs(rows.numbers, np.ascontiguousarray(swapped))
        assert np.abs(scorer.score(asked) - model.probability(asked)).max() <= 1e-6


@EACH
def test_a_graph_has_one_answer_and_the_inputs_it_needs(family: str) -> None:
    for shape, names in (((2, 0), ["numbers"]), ((0, 2), ["categories"]), ((1, 1), ["numbers", "categories"])):
        inputs, labels = make_table(200, *shape)
        graph = onnx.load_from_string(export(fit_family(family, inputs, labels), *shape)).graph
        assert [node.name for node in graph.input] == names
        assert [node.name for node in graph.output] == ["probability"]


def test_a_line_is_small() -> None:
    inputs, labels = make_table(500, 24, 8, most=40)
    graphs = {family: len(export(fit_family(family, inputs, labels, leaves=31), 24, 8)) for family in FAMILIES}
    assert graphs["logistic"] < 27_000
    assert graphs["logistic"] < min(graphs["boosted"], graphs["lightgbm"])


def test_trees_that_never_split() -> None:
    labels = (np.arange(100) % 2).astype(np.int8)
    constant = Inputs(np.ones((100, 1), np.float32), np.empty((100, 0), object))
    for family in FAMILIES:
        model = fit_family(family, constant, labels)
        assert OnnxScorer(export(model, 1, 0)).score(constant) == pytest.approx(model.probability(constant), abs=1e-6)
        assert not isinstance(model.fitted, LightTrees) or split_thresholds(model.fitted) == {}


def test_lightgbm_fits_the_same_bits_and_follows_its_size() -> None:
    inputs, labels = make_table(400, 3, 2)
    size = TreeSize("t", 6, 0.1, 15, least_rows=5, l2=1.0, share=0.5, family="lightgbm")
    one, two = (fit_lightgbm(inputs, labels, size, seed=3) for _ in range(2))
    assert np.array_equal(one.raw(inputs), two.raw(inputs))
    assert one.booster.num_trees() == 15
    assert int(flat_trees(one).leaf.sum()) <= 15 * 6
    assert one.family == "lightgbm"
    other = fit_lightgbm(inputs, labels, size, seed=4)
    assert not np.array_equal(one.raw(inputs), other.raw(inputs))


def test_lightgbm_learns() -> None:
    inputs, labels = make_table(2_000, 3, 2)
    model = fit_family("lightgbm", inputs, labels, leaves=8, trees=40)
    answers = model.probability(inputs)
    assert answers[labels == 1].mean() > answers[labels == 0].mean() + 0.3


def test_without_lightgbm_its_family_is_not_there_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert light.lightgbm_installed()
    monkeypatch.setattr(light, "find_spec", lambda _name: None)
    inputs, labels = make_table(100, 1, 1)
    assert not light.lightgbm_installed()
    with pytest.raises(Misuse, match="LightGBM is not installed"):
        fit_candidate(candidate_of("lightgbm"), inputs, labels, seed=0)


def test_lightgbm_is_imported_by_its_fits_only() -> None:
    """Importing it takes a second, which every command would pay."""
    code = "import sys, training.export, training.fit; sys.exit('lightgbm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def test_a_line_has_no_trees() -> None:
    inputs, labels = make_table(100, 1, 1)
    with pytest.raises(Misuse, match="the family logistic has no trees"):
        split_thresholds(fit_family("logistic", inputs, labels).fitted)


def test_a_calibration_that_is_flat_or_falls() -> None:
    inputs, labels = make_table(200, 2, 1)
    for family in FAMILIES:
        fitted = fit_family(family, inputs, labels).fitted
        for platt in (Platt(0.0, 0.5), Platt(-1.5, 0.25)):
            model = Model(fitted, platt)
            assert np.abs(OnnxScorer(export(model, 2, 1)).score(inputs) - model.probability(inputs)).max() <= 1e-6


def test_wild_values_count_as_far_ones() -> None:
    inputs, labels = make_table(300, 2, 0)
    fitted = fit_candidate(Linear("l", 1.0), inputs, labels, seed=0)
    assert isinstance(fitted, Logistic)
    scorer = OnnxScorer(export(Model(fitted, fit_platt(fitted.raw(inputs), labels)), 2, 0))
    wild = np.array([[3e38, 0.0], [1e6, 0.0], [-3e38, 0.0], [-1e6, 0.0]], np.float32)
    answers = scorer.score(Inputs(wild, np.empty((4, 0), object)))
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    assert np.isfinite(answers).all()


def test_a_column_of_one_known_value_counts_where_it_is_missing() -> None:
    """Its weight is 0, and that of its being missing is not."""
    rng = np.random.default_rng(0)
    labels = (np.arange(400) % 2).astype(np.int8)
    numbers = np.stack([np.where(labels == 1, np.nan, 7.5), rng.normal(size=400)], axis=1).astype(np.float32)
    rows = Inputs(numbers, np.empty((400, 0), object))
    model = fit_family("logistic", rows, labels)
    assert isinstance(model.fitted, Logistic)
    model.fitted.weights[0] = 0.0
    assert model.fitted.missing_weights[0] > 0
    scorer = OnnxScorer(export(model, 2, 0))
    assert np.abs(scorer.score(rows) - model.probability(rows)).max() <= 1e-6
    assert scorer.score(rows)[labels == 1].min() > scorer.score(rows)[labels == 0].max()


def test_a_far_centre_and_a_small_scale_cost_no_precision() -> None:
    """Moments of time in seconds: as far from 0 as float32 allows for their spread."""
    rng = np.random.default_rng(1)
    numbers = (1.7e9 + 256.0 * rng.integers(-3, 4, (500, 6))).astype(np.float32)
    labels = (numbers[:, 0] > 1.7e9).astype(np.int8)
    rows = Inputs(numbers, np.empty((500, 0), object))
    model = fit_family("logistic", rows, labels)
    found = parity(model, OnnxScorer(export(model, 6, 0)), contract_for(6, 0), rows, rows=3_000)
    assert found.largest <= 3e-7
