"""The exported graph answers what scikit-learn answers, whatever the table."""

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.errors import GateRefused
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from tests.fakes.tables import contract_for, fit_model, make_table
from training.calibrate import Model, Platt
from training.export import export
from training.export.edges import around
from training.export.parity import parity
from training.export.parity_rows import UNSEEN, parity_rows
from training.export.trees import split_thresholds
from training.fit import TreeSize

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(
    shape=st.tuples(st.integers(0, 4), st.integers(0, 3)).filter(any),
    rows=st.integers(60, 300),
    most=st.integers(1, 40),
    leaves=st.integers(2, 31),
    seed=st.integers(0, 1000),
)
def test_graph_equals_model(shape: tuple[int, int], rows: int, most: int, leaves: int, seed: int) -> None:
    inputs, labels = make_table(rows, *shape, seed=seed, most=most)
    labels[:10] = np.arange(10) % 2
    model = fit_model(inputs, labels, TreeSize("any", leaves, 0.3, 12), seed)
    scorer = OnnxScorer(export(model, *shape))
    found = parity(model, scorer, contract_for(*shape), inputs, rows=2_000, seed=seed)
    assert found.rows > 2_000
    assert found.largest <= 1e-6


def test_same_fit_same_bytes() -> None:
    inputs, labels = make_table(300, 3, 2)
    assert export(fit_model(inputs, labels), 3, 2) == export(fit_model(inputs, labels), 3, 2)


def test_another_label_other_bytes() -> None:
    inputs, labels = make_table(300, 3, 2)
    assert export(fit_model(inputs, labels), 3, 2) != export(fit_model(inputs, 1 - labels), 3, 2)


def test_a_row_alone_has_the_bits_of_the_batch() -> None:
    inputs, labels = make_table(400, 3, 2)
    scorer = OnnxScorer(export(fit_model(inputs, labels), 3, 2))
    batch = scorer.score(inputs)
    alone = np.concatenate([scorer.score(inputs.rows(slice(i, i + 1))) for i in range(len(inputs))])
    assert batch.dtype == np.float32
    assert np.array_equal(batch, alone)


@pytest.mark.parametrize(("numbers", "categories", "names"), [(2, 0, ["numbers"]), (0, 2, ["categories"])])
def test_an_unused_input_is_left_out(numbers: int, categories: int, names: list[str]) -> None:
    inputs, labels = make_table(200, numbers, categories)
    graph = onnx.load_from_string(export(fit_model(inputs, labels), numbers, categories)).graph
    assert [node.name for node in graph.input] == names
    assert [node.name for node in graph.output] == ["probability"]


def test_trees_are_double() -> None:
    inputs, labels = make_table(200, 2, 1)
    graph = onnx.load_from_string(export(fit_model(inputs, labels), 2, 1)).graph
    trees = next(node for node in graph.node if node.op_type == "TreeEnsembleRegressor")
    values = next(a for a in trees.attribute if a.name == "nodes_values_as_tensor")
    assert values.t.data_type == onnx.TensorProto.DOUBLE


def test_unseen_category_is_an_average_one() -> None:
    inputs, labels = make_table(300, 0, 1)
    model = fit_model(inputs, labels)
    unseen = Inputs(np.empty((1, 0), np.float32), np.array([[UNSEEN]], object))
    assert model.fitted.columns(unseen)[0, 0] == np.float32(labels.mean())
    assert OnnxScorer(export(model, 0, 1)).score(unseen)[0] == pytest.approx(model.probability(unseen)[0], abs=1e-6)


def test_trees_that_never_split() -> None:
    inputs, _ = make_table(100, 1, 0)
    labels = (np.arange(100) % 2).astype(np.int8)
    constant = Inputs(np.ones_like(inputs.numbers), inputs.categories)
    model = fit_model(constant, labels)
    assert split_thresholds(model.fitted) == {}
    assert OnnxScorer(export(model, 1, 0)).score(constant) == pytest.approx(0.5)


def test_column_empty_in_a_fold_is_never_split_on() -> None:
    inputs, labels = make_table(200, 2, 0)
    inputs.numbers[:, 1] = np.nan
    model = fit_model(inputs, labels)
    assert 1 not in split_thresholds(model.fitted)
    assert np.isnan(inputs.numbers[:, 1]).all()
    parity(model, OnnxScorer(export(model, 2, 0)), contract_for(2, 0), inputs, rows=1_000)


def test_parity_rows_hold_what_finds_differences() -> None:
    inputs, labels = make_table(500, 2, 1)
    model = fit_model(inputs, labels)
    rows = parity_rows(model, inputs, rows=5_000, seed=0)
    near = around(split_thresholds(model.fitted)[0])
    assert np.isin(rows.numbers[:, 0], near).mean() > 0.15
    assert np.isnan(rows.numbers).any()
    assert {UNSEEN, ""} <= set(rows.categories[:, 0])


def test_around_leaves_out_what_float32_cannot_hold() -> None:
    near = around(np.array([1.0, 1e300]))
    assert near.tolist() == [float(np.nextafter(np.float32(1), np.float32(0))), 1.0, 1.0000001192092896]


def test_a_wrong_graph_is_refused_with_how_many_and_how_much() -> None:
    inputs, labels = make_table(300, 2, 1)
    model = fit_model(inputs, labels)
    shifted = Model(model.fitted, Platt(model.platt.slope, model.platt.offset + 0.25))
    scorer = OnnxScorer(export(shifted, 2, 1))
    with pytest.raises(
        GateRefused, match=r"1,751 of 1,751 rows differ by more than the gate max_parity of 1e-06.*0\.0"
    ):
        parity(model, scorer, contract_for(2, 1), inputs, rows=1_000)


def test_a_wrong_threshold_is_found() -> None:
    inputs, labels = make_table(300, 1, 0)
    model = fit_model(inputs, labels)
    graph = onnx.load_from_string(export(model, 1, 0))
    trees = next(node for node in graph.graph.node if node.op_type == "TreeEnsembleRegressor")
    values = next(a for a in trees.attribute if a.name == "nodes_values_as_tensor")
    narrowed = np.array(values.t.double_data, np.float32).astype(np.float64) * (1 + 1e-6)
    del values.t.double_data[:]
    values.t.double_data.extend(narrowed.tolist())
    with pytest.raises(GateRefused, match="rows differ"):
        parity(model, OnnxScorer(graph.SerializeToString()), contract_for(1, 0), inputs, rows=5_000)
