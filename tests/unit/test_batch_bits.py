"""Scored in batches, by looked-up texts and walked trees: the bits of the release's own graph, whatever the rows."""

from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from ebb.features.inputs import Inputs
from ebb.onnx import OnnxScorer, single_threaded
from tests.fakes.batch import CATEGORIES, NUMBERS, made_inputs, made_model
from tests.fakes.fitted import FAMILIES
from tests.fakes.releases import tiny_model
from training.batch import scorer as module
from training.batch.cut import cut
from training.batch.forest import forest_of
from training.batch.scorer import BatchScorer, Rest, Walked, Whole, batch_scorer
from training.dataset.texts import Texts, as_texts
from training.export import export
from training.export.parity_rows import NASTY_NUMBERS, parity_rows
from training.export.trees import Trees, tree_node

ROWS = 20_000


def same_bits(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    return a.dtype == b.dtype == np.float32 and np.array_equal(a.view(np.int32), b.view(np.int32))


def texts_of(inputs: Inputs) -> list[Texts]:
    return [as_texts(pa.chunked_array([pa.array(column.tolist(), pa.string())])) for column in inputs.categories.T]


def in_batches(scorer: BatchScorer, inputs: Inputs, size: int) -> NDArray[np.float32]:
    parts = [inputs.rows(slice(start, start + size)) for start in range(0, len(inputs), size)]
    return np.concatenate([scorer.score(part.numbers, texts_of(part)) for part in parts])


def ways(model: bytes) -> list[BatchScorer]:
    parts = cut(model)
    assert parts is not None
    found: list[BatchScorer] = [Whole(OnnxScorer(model)), Rest(parts)]
    return found if parts.trees is None else [*found, Walked(parts, parts.trees)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_way_gives_the_bits_of_the_graph(family: str) -> None:
    model = made_model(family)
    inputs = parity_rows(model, made_inputs(1_000), rows=ROWS, seed=1)
    graph = export(model, NUMBERS, CATEGORIES)
    # What a column spells as missing is missing before a graph sees it.
    blank = np.array([not text.strip() for text in inputs.categories.ravel()]).reshape(inputs.categories.shape)
    inputs = Inputs(inputs.numbers, np.where(blank, "", inputs.categories))
    expected = OnnxScorer(graph).score(inputs)
    found = ways(graph)
    assert len(found) == (2 if family == "logistic" else 3)
    for way in found:
        assert same_bits(in_batches(way, inputs, 16_384), expected), way
        for size in (1, 63, 64, 65):
            some = inputs.rows(slice(0, 500))
            assert same_bits(in_batches(way, some, size), expected[:500]), (way, size)


@pytest.mark.parametrize(("leaves", "wide"), [(2, np.uint32), (31, np.uint32), (50, np.uint64), (120, None)])
def test_trees_of_every_size(leaves: int, wide: Any) -> None:
    model = made_model(leaves=leaves, trees=20, rows=6_000)
    graph = export(model, NUMBERS, CATEGORIES)
    parts = cut(graph)
    assert parts is not None
    if wide is None:
        assert parts.trees is None, "more than 64 leaves are left to ONNX Runtime"
        return
    assert parts.trees is not None
    assert parts.trees.forest.masks.dtype == wide
    inputs = parity_rows(model, made_inputs(1_000), rows=5_000, seed=2)
    assert same_bits(in_batches(Walked(parts, parts.trees), inputs, 999), in_batches(Rest(parts), inputs, 5_000))


_EDGES = [
    *NASTY_NUMBERS.tolist(),
    float("inf"),
    float("-inf"),
    1e300,
    -1e300,
    1e-300,
    -1e-300,
    0.1,
    0.30000000000000004,
]

_NODE = ("tree", "number", "leaf", "column", "threshold", "left", "right", "missing_left", "value")


@st.composite
def forests(draw: st.DrawFn) -> Trees:
    """Trees of any shape whose thresholds lie between and beyond what float32 can hold."""
    rows: list[tuple[int, int, bool, int, float, int, int, bool, float]] = []
    values = st.floats(-1e3, 1e3, allow_subnormal=True)
    thresholds = st.one_of(st.sampled_from([edge for edge in _EDGES if edge == edge]), st.floats(allow_nan=False))  # noqa: PLR0124

    def grow(tree: int, depth: int, number: list[int]) -> int:
        mine, place = number[0], len(rows)
        number[0] += 1
        if depth == 5 or not draw(st.booleans()):
            rows.append((tree, mine, True, 0, 0.0, 0, 0, False, draw(values)))
            return mine
        rows.append((tree, mine, False, 0, 0.0, 0, 0, False, 0.0))
        left, right = grow(tree, depth + 1, number), grow(tree, depth + 1, number)
        column, threshold = draw(st.integers(0, 1)), draw(thresholds)
        rows[place] = (tree, mine, False, column, threshold, left, right, draw(st.booleans()), 0.0)
        return mine

    for tree in range(draw(st.integers(1, 4))):
        grow(tree, 0, [0])
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    named: dict[str, Any] = dict(zip(_NODE, columns, strict=True))
    return Trees(**named, base=draw(values))


@given(forests(), st.lists(st.tuples(st.floats(width=32), st.floats(width=32)), max_size=70))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_trees_on_any_numbers(trees: Trees, rows: list[tuple[float, float]]) -> None:
    node = tree_node(trees, "doubles", "raw")
    given_ = [helper.make_tensor_value_info("doubles", TensorProto.DOUBLE, [None, 2])]
    made = [helper.make_tensor_value_info("raw", TensorProto.FLOAT, [None, 1])]
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_model(helper.make_graph([node], "trees", given_, made), opset_imports=opsets, ir_version=9)
    pairs = [(a, b) for a in _EDGES for b in _EDGES[::7]]
    with np.errstate(over="ignore"):
        numbers = np.array([*rows, *pairs]).astype(np.float32)
    forest = forest_of(node, 2)
    assert forest is not None
    expected = single_threaded(graph.SerializeToString()).run(["raw"], {"doubles": numbers.astype(np.float64)})[0]
    assert same_bits(forest.raw(numbers), expected[:, 0])


@pytest.mark.parametrize(
    "change",
    [
        {"post_transform": "LOGISTIC"},
        {"aggregate_function": "AVERAGE"},
        {"n_targets": 2},
        {"nodes_modes": ["BRANCH_LT", "LEAF", "LEAF"]},
        {"nodes_featureids": [5, 0, 0]},
        {"nodes_truenodeids": [0, 0, 0]},
        {"nodes_falsenodeids": [1, 0, 0]},
        {"nodes_truenodeids": [7, 0, 0]},
        {"target_nodeids": [1, 1]},
        {"base_values_as_tensor": None},
        {"nodes_values_as_tensor": helper.make_tensor("", TensorProto.FLOAT, [3], [0.5, 0.0, 0.0])},
        {"nodes_values_as_tensor": helper.make_tensor("", TensorProto.DOUBLE, [3], [float("nan"), 0.0, 0.0])},
    ],
)
def test_other_trees_are_left_to_onnx_runtime(change: dict[str, Any]) -> None:
    doubles = TensorProto.DOUBLE
    said: dict[str, Any] = {
        "n_targets": 1,
        "base_values_as_tensor": helper.make_tensor("", doubles, [1], [0.5]),
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [1, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
        "nodes_values_as_tensor": helper.make_tensor("", doubles, [3], [0.5, 0.0, 0.0]),
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [1, 2],
        "target_ids": [0, 0],
        "target_weights_as_tensor": helper.make_tensor("", doubles, [2], [1.0, 2.0]),
    }

    def node_of(attributes: dict[str, Any]) -> onnx.NodeProto:
        told = {name: value for name, value in attributes.items() if value is not None}
        return helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **told)

    assert forest_of(node_of(said), 2) is not None
    assert forest_of(node_of({**said, **change}), 2) is None


def test_a_graph_without_trees_is_cut_behind_its_texts() -> None:
    parts = cut(tiny_model())
    assert parts is not None
    assert ([tensor.categories for tensor in parts.encoded], parts.trees) == ([(0,)], None)
    numbers = np.array([[1.0, 2.0, 0.0], [np.nan, 5.0, 1.0]], np.float32)
    inputs = Inputs(numbers, np.array([["basic", "x"], ["other", ""]], object))
    expected = OnnxScorer(tiny_model()).score(inputs)
    assert same_bits(Rest(parts).score(numbers, texts_of(inputs)), expected)


def test_a_graph_whose_texts_go_elsewhere_stays_whole() -> None:
    proto = onnx.load_model_from_string(tiny_model())
    proto.graph.node.append(helper.make_node("Identity", ["categories"], ["again"]))
    assert cut(proto.SerializeToString()) is None
    assert isinstance(batch_scorer(OnnxScorer(proto.SerializeToString()), 10), Whole)


def test_the_compiler_is_started_for_many_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = OnnxScorer(export(made_model(), NUMBERS, CATEGORIES))
    assert isinstance(batch_scorer(scorer, module.WORTH_COMPILING - 1), Rest)
    assert isinstance(batch_scorer(scorer, module.WORTH_COMPILING), Walked)
    monkeypatch.setattr(module, "find_spec", lambda _name: None)
    assert isinstance(batch_scorer(scorer, module.WORTH_COMPILING), Rest), "numba is no must"
