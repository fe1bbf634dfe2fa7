"""The rows of the parity gate hold what finds differences, and the gate finds them, in every family."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from ebb.decision import threshold
from ebb.errors import BadFeatures, GateRefused
from ebb.features.inputs import Inputs, accept_row
from ebb.features.values import FLOAT32_MAX, INFINITE, LONGEST_CATEGORY
from ebb.onnx import OnnxScorer
from tests.fakes.fitted import FAMILIES, fit_family
from tests.fakes.tables import contract_for, make_table
from training.calibrate import Model, Platt
from training.export import export
from training.export.edges import around, at_decision, edges
from training.export.parity import ROWS, parity
from training.export.parity_rows import NASTY_NUMBERS, NASTY_TEXTS, UNSEEN, parity_rows
from training.fit import Logistic

EACH = pytest.mark.parametrize("family", FAMILIES)
CONTRACT = contract_for(2, 1)


def _model(family: str, rows: int = 500) -> tuple[Inputs, Model]:
    inputs, labels = make_table(rows, 2, 1)
    return inputs, fit_family(family, inputs, labels)


@EACH
def test_a_hundred_thousand_rows_and_more_are_equal(family: str) -> None:
    inputs, model = _model(family)
    found = parity(model, OnnxScorer(export(model, 2, 1)), CONTRACT, inputs)
    assert found.rows > ROWS == 100_000
    assert 0 < found.largest <= 1e-6


@EACH
def test_every_nasty_number_and_text_is_there_alone_and_throughout(family: str) -> None:
    inputs, model = _model(family)
    rows = parity_rows(model, inputs, rows=1_000, seed=0)
    bits = set(rows.numbers[:, 1].view(np.uint32).tolist())
    assert set(NASTY_NUMBERS.view(np.uint32).tolist()) <= bits, "also -0.0, and a NaN with a sign"
    assert set(NASTY_TEXTS) <= set(rows.categories[:, 0])
    alike = rows.numbers[:, 0].view(np.uint32) == rows.numbers[:, 1].view(np.uint32)
    assert {(float(n), t) for n, t in zip(rows.numbers[alike, 0], rows.categories[alike, 0], strict=True)} >= {
        (FLOAT32_MAX, ""),
        (-FLOAT32_MAX, UNSEEN),
    }
    nothing = np.isnan(rows.numbers).all(axis=1) & (rows.categories[:, 0] == "")
    assert nothing.any(), "a row of which nothing is known"


@EACH
def test_edges_and_their_neighbours_are_drawn(family: str) -> None:
    inputs, model = _model(family)
    rows = parity_rows(model, inputs, rows=5_000, seed=0)
    for j in range(2):
        near = around(edges(model.fitted)[j])
        assert np.isin(rows.numbers[:5_000, j], near).mean() > 0.15


def test_no_infinity_is_among_them_since_no_contract_accepts_one() -> None:
    inputs, model = _model("logistic")
    assert not np.isinf(parity_rows(model, inputs, rows=2_000, seed=0).numbers).any()
    with pytest.raises(BadFeatures, match=INFINITE):
        accept_row(CONTRACT, {"n0": float("inf")})


def test_nasty_texts_are_what_a_contract_accepts() -> None:
    for text in NASTY_TEXTS:
        assert len(text) <= LONGEST_CATEGORY
        accept_row(CONTRACT, {"c0": text})
    assert any(len(text.encode()) == 4 * LONGEST_CATEGORY for text in NASTY_TEXTS)


def test_the_same_seed_draws_the_same_rows_and_another_others() -> None:
    inputs, model = _model("boosted")
    one, two, other = (parity_rows(model, inputs, rows=500, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.numbers, two.numbers, equal_nan=True)
    assert one.categories.tolist() == two.categories.tolist()
    assert not np.array_equal(one.numbers, other.numbers, equal_nan=True)


def test_no_row_of_the_table_is_drawn_whole() -> None:
    inputs, labels = make_table(300, 6, 2)
    model = fit_family("logistic", inputs, labels)
    table = {tuple(map(repr, [*n, *c])) for n, c in zip(inputs.numbers.tolist(), inputs.categories, strict=True)}
    rows = parity_rows(model, inputs, rows=300, seed=0).rows(slice(0, 300))
    drawn = [tuple(map(repr, [*n, *c])) for n, c in zip(rows.numbers.tolist(), rows.categories, strict=True)]
    assert not table & set(drawn)


@pytest.mark.parametrize("probability", [0.05, 0.2, 0.5, 0.9])
def test_a_line_gives_the_probability_that_was_asked_for(probability: float) -> None:
    inputs, model = _model("logistic", 300)
    for column in range(2):
        value = at_decision(model, inputs, column, probability)
        reached = np.isfinite(value)
        assert reached.sum() > 20
        moved = inputs.rows(reached)
        moved.numbers[:, column] = value[reached]
        assert model.probability(moved) == pytest.approx(probability, abs=1e-5)


def test_no_value_reaches_what_cannot_be() -> None:
    inputs, model = _model("logistic", 100)
    fitted = model.fitted
    assert isinstance(fitted, Logistic)
    for probability in (0.0, 1.0, 1e-300, 2.0):
        assert np.isnan(at_decision(model, inputs, 0, probability)).all()
    assert np.isnan(at_decision(Model(fitted, Platt(0.0, 0.1)), inputs, 0, 0.5)).all()
    fitted.weights[1] = 0.0
    assert np.isnan(at_decision(model, inputs, 1, 0.5)).all()
    assert np.isnan(at_decision(_model("boosted", 100)[1], inputs, 0, 0.5)).all()


def test_rows_of_a_line_lie_on_both_sides_of_the_decision() -> None:
    inputs, model = _model("logistic")
    pays_from = threshold(CONTRACT.decision)
    rows = parity_rows(model, inputs, rows=2_000, seed=0, probability=pays_from)
    answers = model.probability(rows)
    near = np.abs(answers - pays_from) < 1e-6
    assert (near & (answers < pays_from)).sum() > 100
    assert (near & (answers >= pays_from)).sum() > 100


@EACH
def test_a_shifted_graph_is_refused_with_how_many_and_by_how_much(family: str) -> None:
    inputs, model = _model(family)
    shifted = Model(model.fitted, Platt(model.platt.slope, model.platt.offset + 0.25))
    with pytest.raises(GateRefused, match=rf"as the {family} model does: [\d,]+ of [\d,]+ rows differ.*0\.0"):
        parity(model, OnnxScorer(export(shifted, 2, 1)), CONTRACT, inputs, rows=1_000)


@EACH
def test_a_text_that_stands_in_the_wrong_place_is_found(family: str) -> None:
    inputs, model = _model(family)
    graph = onnx.load_from_string(export(model, 2, 1))
    lookup = next(node for node in graph.graph.node if node.op_type == "LabelEncoder")
    keys = next(a for a in lookup.attribute if a.name == "keys_strings")
    keys.strings[1] += b" "  # c0, whose rows are positive less often than others
    with pytest.raises(GateRefused, match="rows differ"):
        parity(model, OnnxScorer(graph.SerializeToString()), CONTRACT, inputs, rows=2_000)


def test_missing_that_goes_the_wrong_way_is_found() -> None:
    inputs, model = _model("lightgbm")
    graph = onnx.load_from_string(export(model, 2, 1))
    trees = next(node for node in graph.graph.node if node.op_type == "TreeEnsembleRegressor")
    tracks = next(a for a in trees.attribute if a.name == "nodes_missing_value_tracks_true")
    tracks.ints[:] = [1 - way for way in tracks.ints]
    with pytest.raises(GateRefused, match="rows differ"):
        parity(model, OnnxScorer(graph.SerializeToString()), CONTRACT, inputs, rows=2_000)


def test_a_line_without_its_clip_is_found() -> None:
    inputs, model = _model("logistic")
    graph = onnx.load_from_string(export(model, 2, 1))
    most = next(tensor for tensor in graph.graph.initializer if tensor.name == "most")
    most.double_data[:] = [1e300] * len(most.double_data)
    with pytest.raises(GateRefused, match="rows differ"):
        parity(model, OnnxScorer(graph.SerializeToString()), CONTRACT, inputs, rows=2_000)


def test_the_contract_says_how_close() -> None:
    inputs, model = _model("boosted")
    scorer = OnnxScorer(export(model, 2, 1))
    contract = replace(CONTRACT, gates=replace(CONTRACT.gates, max_parity=1e-12))
    with pytest.raises(GateRefused, match="gate max_parity of 1e-12"):
        parity(model, scorer, contract, inputs, rows=1_000)


def test_around_leaves_out_what_float32_cannot_hold() -> None:
    near = around(np.array([1.0, 1e300]))
    assert near.tolist() == [float(np.nextafter(np.float32(1), np.float32(0))), 1.0, 1.0000001192092896]
    assert around(np.array([np.nan])).tolist() == []
