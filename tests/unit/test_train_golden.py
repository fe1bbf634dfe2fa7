"""Golden examples: accepted by the contract, exact, and of every kind."""

import numpy as np
import pytest

from ebb.decision import threshold
from ebb.errors import ReleaseError
from ebb.features.inputs import Inputs, accept_row, encode
from ebb.onnx import OnnxScorer
from ebb.release.golden import GoldenExample, check_golden, golden_from_bytes, golden_to_bytes, instruction_set
from tests.fakes.fitted import FAMILIES, fit_family
from tests.fakes.made_contracts import contract_of
from tests.fakes.tables import make_table
from training.calibrate import Model, Platt
from training.export import export
from training.export.edges import edges
from training.export.golden import make_golden, raw_value

EACH = pytest.mark.parametrize("family", FAMILIES)
CONTRACT = contract_of(
    'name = "n0"; kind = "number"; missing = true; min = -10; max = 0.1',
    'name = "n1"; kind = "integer"; min = -7; max = 7',
    'name = "n2"; kind = "flag"; missing = true',
    'name = "c0"; kind = "category"; missing = true',
    'name = "c1"; kind = "category"; categories = ["c0", "c1", "c2", "c3", "c4"]; unseen = "refuse"; missing = true',
)


def trained(family: str = "boosted") -> tuple[Inputs, Model, OnnxScorer]:
    inputs, labels = make_table(600, 3, 2)
    numbers = inputs.numbers
    numbers[:, 0] = np.minimum(numbers[:, 0], np.float32(0.1))
    numbers[:, 1] = np.round(np.nan_to_num(numbers[:, 1]) * 2)
    numbers[:, 2] = numbers[:, 2] > 0
    model = fit_family(family, inputs, labels)
    return inputs, model, OnnxScorer(export(model, 3, 2))


def examples(family: str = "boosted") -> tuple[list[GoldenExample], OnnxScorer]:
    inputs, model, scorer = trained(family)
    return make_golden(CONTRACT, inputs, model, scorer), scorer


@EACH
def test_every_kind_is_there(family: str) -> None:
    made, _ = examples(family)
    assert 50 <= len(made) <= 70
    assert {example.why.split(":")[0] for example in made} == {"typical", "missing", "unseen", "boundary", "threshold"}
    whys = {example.why for example in made}
    assert {"missing: n0", "missing: all that may be", "unseen: c0", "boundary: n0 at its maximum"} <= whys
    assert "unseen: c1" not in whys
    assert "missing: n1" not in whys


@EACH
def test_answers_are_exact_after_writing_and_reading(family: str) -> None:
    made, scorer = examples(family)
    read = golden_from_bytes(golden_to_bytes(made))
    assert read == made
    check_golden(CONTRACT, scorer, read, instruction_set())


@EACH
def test_a_changed_graph_is_found_out(family: str) -> None:
    made, _ = examples(family)
    _, model, _ = trained(family)
    changed = Model(model.fitted, Platt(model.platt.slope, model.platt.offset + 1e-4))
    with pytest.raises(ReleaseError, match="golden examples of this release are answered differently"):
        check_golden(CONTRACT, OnnxScorer(export(changed, 3, 2)), made, instruction_set())


@EACH
def test_same_seed_same_examples(family: str) -> None:
    assert examples(family)[0] == examples(family)[0]


def test_examples_of_a_line_lie_where_acting_begins_to_pay() -> None:
    made, _ = examples("logistic")
    pays_from = threshold(CONTRACT.decision)
    turning = [example for example in made if example.why.startswith("threshold")]
    assert {example.why for example in turning} >= {"threshold: n0 where acting begins to pay"}
    exact = [e for e in turning if e.why.startswith("threshold: n0")]
    assert len(exact) == 3, "the value and the two float32 beside it"
    assert all(example.probability == pytest.approx(pays_from, abs=1e-5) for example in exact)
    whole = [e for e in turning if e.why.startswith("threshold: n1")]
    assert all(isinstance(example.features["n1"], int) for example in whole)


@pytest.mark.parametrize("family", ["boosted", "lightgbm"])
def test_examples_of_trees_lie_on_both_sides_of_a_split(family: str) -> None:
    _, model, _ = trained(family)
    made, _ = examples(family)
    seen = {np.float32(e.features["n0"]) for e in made if e.why == "threshold: n0"}
    middle = edges(model.fitted)[0][len(edges(model.fitted)[0]) // 2]
    assert {float(value) <= middle for value in seen} == {True, False}


def test_values_are_raw() -> None:
    made, _ = examples()
    for example in made:
        assert isinstance(example.features["n1"], int)
        assert example.features["n2"] is None or isinstance(example.features["n2"], bool)


def test_no_row_of_the_table_is_copied() -> None:
    inputs, _, _ = trained()
    made, _ = examples()
    rows = {tuple(map(repr, [*n.tolist(), *c])) for n, c in zip(inputs.numbers, inputs.categories, strict=True)}
    typical = encode(CONTRACT, [accept_row(CONTRACT, e.features) for e in made if e.why == "typical"])
    drawn = [tuple(map(repr, [*n.tolist(), *c])) for n, c in zip(typical.numbers, typical.categories, strict=True)]
    assert sum(row in rows for row in drawn) < len(drawn) / 2


@pytest.mark.parametrize("value", [0.1, -3.3e-12, 16777216.0, 3.4e38])
def test_raw_value_is_seen_as_the_same_float32(value: float) -> None:
    number = CONTRACT.by_name["n0"]
    raw = raw_value(number, np.float32(value))
    assert isinstance(raw, float)
    assert np.float32(raw) == np.float32(value)
    assert raw_value(number, np.float32("nan")) is None
