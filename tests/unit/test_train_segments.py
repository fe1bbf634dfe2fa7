"""Parts of the rows, and those in which the champion is better."""

from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import log_loss, roc_auc_score

from ebb.contract import Contract
from ebb.decision import threshold
from ebb.features.inputs import Inputs
from tests.fakes.tables import contract_for, make_table
from training.evaluation.evaluate import evaluate
from training.evaluation.evidence import Slices
from training.evaluation.fairness import Answers
from training.evaluation.model import Segment
from training.evaluation.ranking import rank
from training.evaluation.resample import Resampler
from training.evaluation.segments import Segments, most_important, segment_table
from training.evaluation.slices import Rivals, worse_slices, worse_than_told
from training.fit import code


def answered(inputs: Inputs, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    lean = np.nan_to_num(inputs.numbers[:, 0].astype(np.float64)) + rng.normal(size=len(inputs)) * 0.2
    return 1 / (1 + np.exp(-lean))


def table(contract: Contract, inputs: Inputs, labels: NDArray[np.int8]) -> tuple[Segment, ...]:
    answers = answered(inputs)
    known = Answers(answers, labels, answers >= threshold(contract.decision))
    segments = Segments(contract, code(inputs))
    return segment_table(contract, segments, known, rank(answers, labels), Resampler(len(labels)))


def test_a_segment_has_the_figures_of_its_rows() -> None:
    inputs, labels = make_table(3_000, 1, 1)
    answers = answered(inputs)
    found = next(s for s in table(contract_for(1, 1), inputs, labels) if (s.feature, s.name) == ("c0", "c2"))
    rows = inputs.categories[:, 0] == "c2"
    acted = answers[rows] >= 0.2
    assert found.rows == rows.sum()
    assert found.positives == pytest.approx(labels[rows].mean())
    assert found.auc == pytest.approx(roc_auc_score(labels[rows], answers[rows]), abs=0.005)
    assert found.mean_probability == pytest.approx(answers[rows].mean())
    assert found.calibration.value == pytest.approx(answers[rows].mean() - labels[rows].mean())
    assert found.acted_on == pytest.approx(acted.mean())
    assert found.profit.value == pytest.approx(np.where(acted, labels[rows] * 5 - 1.0, 0).mean())
    assert found.profit.low is not None
    assert found.profit.low < found.profit.value
    assert found.log_loss.value == pytest.approx(log_loss(labels[rows], answers[rows]))


def test_segments_cover_a_number_in_quarters() -> None:
    inputs, labels = make_table(2_000, 1, 0)
    found = table(contract_for(1, 0), inputs, labels)
    assert [s.feature for s in found] == ["n0"] * 5
    assert sum(s.rows for s in found) == 2_000
    assert found[0].name.startswith("below")


def test_small_segments_and_features_of_one_group_are_left_out() -> None:
    inputs, labels = make_table(400, 2, 1)
    inputs.numbers[:, 1] = 1
    inputs.categories[:, 0] = "same"
    inputs.categories[:49, 0] = "small"
    assert {s.feature for s in table(contract_for(2, 1), inputs, labels)} == {"n0"}


def test_a_segment_of_one_class_has_no_area() -> None:
    inputs, labels = make_table(400, 1, 1)
    labels[inputs.categories[:, 0] == "c1"] = 1
    found = next(s for s in table(contract_for(1, 1), inputs, labels) if s.name == "c1")
    assert found.auc is None
    assert found.positives == 1


def test_of_many_features_the_important_and_the_protected_are_looked_at() -> None:
    contract = contract_for(30, 0)
    weights = np.arange(30, dtype=np.float64)
    assert [f.name for f in most_important(contract, weights, 3)] == ["n29", "n28", "n27"]
    assert [f.name for f in most_important(contract, None, 2)] == ["n0", "n1"]
    assert len(most_important(contract_for(30, 0, "; protected = true"), weights, 3)) == 30


def compared(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], inputs: Inputs, labels: NDArray[np.int8]
) -> Slices:
    contract = contract_for(1, 1)
    rivals = Rivals(labels, ours, theirs, "for this test")
    return worse_slices(contract.decision, Segments(contract, code(inputs)), rivals, Resampler(len(labels)))


def test_the_slice_that_was_spoiled_is_found() -> None:
    inputs, labels = make_table(4_000, 1, 1)
    theirs = answered(inputs)
    spoiled = inputs.categories[:, 0] == "c2"
    ours = np.where(spoiled, 1 - theirs, theirs)
    found = compared(ours, theirs, inputs, labels)
    assert {(s.name, s.measure) for s in found.worse if s.feature == "c0"} == {("c2", "profit"), ("c2", "log_loss")}
    slice_ = next(s for s in found.worse if (s.name, s.measure) == ("c2", "profit"))
    worth = np.where(labels == 1, 5.0, 0.0) - 1.0
    lost = worth * ((theirs >= 0.2).astype(float) - (ours >= 0.2))
    assert slice_.rows == spoiled.sum()
    assert slice_.worse_by.value == pytest.approx(lost[spoiled].mean())
    assert slice_.worse_by.low is not None
    assert slice_.worse_by.low > 0


def test_equal_models_have_no_worse_slice() -> None:
    inputs, labels = make_table(1_000, 1, 1)
    answers = answered(inputs)
    found = compared(answers, answers, inputs, labels)
    assert found.worse == ()
    assert found.judged > 5
    assert found.confidence == pytest.approx(1 - 0.05 / (2 * found.judged))


def test_chance_alone_seldom_makes_a_slice_worse() -> None:
    false_alarms = 0
    for seed in range(40):
        inputs, labels = make_table(600, 1, 1, seed=seed)
        false_alarms += bool(compared(answered(inputs, 1), answered(inputs, 2), inputs, labels).worse)
    assert false_alarms <= 8  # two are expected


def test_sure_answers_of_a_float32_graph_cost_no_infinity() -> None:
    inputs, labels = make_table(600, 1, 1)
    found = compared(np.where(labels == 1, 0.0, 1.0), np.where(labels == 1, 1.0, 0.0), inputs, labels)
    assert all(np.isfinite(s.worse_by.value) for s in found.worse)


def told(inputs: Inputs, labels: NDArray[np.int8], answers: NDArray[np.float64]) -> tuple[Segment, ...]:
    return evaluate(contract_for(1, 1), inputs, labels, answers).segments


def test_against_what_the_champion_tells_of_itself() -> None:
    inputs, labels = make_table(4_000, 1, 1)
    theirs = answered(inputs)
    spoiled = inputs.categories[:, 0] == "c2"
    ours = np.where(spoiled, 1 - theirs, theirs)
    own = [asdict(segment) for segment in told(inputs, labels, theirs)]
    found = worse_than_told(told(inputs, labels, ours), own)
    assert {(s.name, s.measure) for s in found.worse if s.feature == "c0"} == {("c2", "profit"), ("c2", "log_loss")}
    assert found.judged == len(own)
    same = worse_than_told(told(inputs, labels, theirs), own)
    assert (same.found, same.worse) == (0, ())


def test_a_champion_that_tells_nothing_of_its_segments() -> None:
    inputs, labels = make_table(400, 1, 1)
    found = worse_than_told(told(inputs, labels, answered(inputs)), ())
    assert (found.judged, found.found, found.worse) == (0, 0, ())


def test_at_most_twenty_slices_are_told() -> None:
    inputs, labels = make_table(4_000, 9, 0)
    theirs = answered(inputs)
    own = [asdict(s) for s in evaluate(contract_for(9, 0), inputs, labels, theirs).segments]
    found = worse_than_told(evaluate(contract_for(9, 0), inputs, labels, 1 - theirs).segments, own)
    assert found.found > 20
    assert len(found.worse) == 20
    assert found.worse[0].measure == "profit"


def test_few_blocks_name_nothing() -> None:
    inputs, labels = make_table(600, 1, 1)
    contract = contract_for(1, 1)
    rivals = Rivals(labels, np.where(labels == 1, 0.0, 1.0), labels.astype(np.float64), "for this test")
    one = Resampler(600, np.zeros(600, np.intp))
    assert worse_slices(contract.decision, Segments(contract, code(inputs)), rivals, one).worse == ()
