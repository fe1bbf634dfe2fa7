"""Golden examples: accepted by the contract, exact, and of every kind."""

import numpy as np
import pytest

from ebb.contract import Contract
from ebb.errors import ReleaseError
from ebb.features.inputs import Inputs, accept_row, encode
from ebb.onnx import OnnxScorer
from ebb.release.golden import GoldenExample, check_golden, golden_from_bytes, golden_to_bytes, instruction_set
from tests.fakes.made_contracts import contract_of
from tests.fakes.tables import fit_model, make_table
from training.calibrate import Model, Platt
from training.export import export
from training.export.golden import make_golden, raw_value

CONTRACT = contract_of(
    'name = "n0"; kind = "number"; missing = true; min = -10; max = 0.1',
    'name = "n1"; kind = "integer"; min = -7; max = 7',
    'name = "n2"; kind = "flag"; missing = true',
    'name = "c0"; kind = "category"; missing = true',
    'name = "c1"; kind = "category"; categories = ["c0", "c1", "c2", "c3", "c4"]; unseen = "refuse"; missing = true',
)


def trained() -> tuple[Inputs, Model, OnnxScorer]:
    inputs, labels = make_table(600, 3, 2)
    numbers = inputs.numbers
    numbers[:, 0] = np.minimum(numbers[:, 0], np.float32(0.1))
    numbers[:, 1] = np.round(np.nan_to_num(numbers[:, 1]) * 2)
    numbers[:, 2] = numbers[:, 2] > 0
    model = fit_model(inputs, labels)
    return inputs, model, OnnxScorer(export(model, 3, 2))


def examples(contract: Contract = CONTRACT) -> tuple[list[GoldenExample], OnnxScorer]:
    inputs, model, scorer = trained()
    return make_golden(contract, inputs, model, scorer), scorer


def test_every_kind_is_there() -> None:
    made, _ = examples()
    assert 50 <= len(made) <= 70
    assert {example.why.split(":")[0] for example in made} == {"typical", "missing", "unseen", "boundary", "threshold"}
    whys = {example.why for example in made}
    assert {"missing: n0", "missing: all that may be", "unseen: c0", "boundary: n0 at its maximum"} <= whys
    assert "unseen: c1" not in whys
    assert "missing: n1" not in whys


def test_answers_are_exact_after_writing_and_reading() -> None:
    made, scorer = examples()
    read = golden_from_bytes(golden_to_bytes(made))
    assert read == made
    check_golden(CONTRACT, scorer, read, instruction_set())


def test_a_changed_graph_is_found_out() -> None:
    made, _ = examples()
    _, model, _ = trained()
    changed = Model(model.fitted, Platt(model.platt.slope, model.platt.offset + 1e-4))
    with pytest.raises(ReleaseError, match="golden examples of this release are answered differently"):
        check_golden(CONTRACT, OnnxScorer(export(changed, 3, 2)), made, instruction_set())


def test_same_seed_same_examples() -> None:
    assert examples()[0] == examples()[0]


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
