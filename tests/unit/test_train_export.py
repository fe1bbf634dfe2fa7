"""What is true of the graph of scikit-learn's trees alone; all families: `test_train_export_families`."""

import numpy as np
import onnx
import pytest

from ebb.errors import GateRefused
from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer
from tests.fakes.tables import contract_for, fit_model, make_table
from training.export import export
from training.export.parity import parity
from training.export.parity_rows import UNSEEN
from training.export.trees import split_thresholds
from training.fit import Boosted


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
    assert isinstance(model.fitted, Boosted)
    assert model.fitted.columns(unseen)[0, 0] == np.float32(labels.mean())
    assert OnnxScorer(export(model, 0, 1)).score(unseen)[0] == pytest.approx(model.probability(unseen)[0], abs=1e-6)


def test_column_empty_in_a_fold_is_never_split_on() -> None:
    inputs, labels = make_table(200, 2, 0)
    inputs.numbers[:, 1] = np.nan
    model = fit_model(inputs, labels)
    assert 1 not in split_thresholds(model.fitted)
    assert np.isnan(inputs.numbers[:, 1]).all()
    parity(model, OnnxScorer(export(model, 2, 0)), contract_for(2, 0), inputs, rows=1_000)


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
