"""Where the new model is worse: the intervals against statsmodels' formula by hand, scipy, and repeated tables."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from ebb.contract import Decision
from ebb.decision import threshold
from ebb.features.inputs import Inputs
from tests.fakes.tables import contract_for
from training.evaluation.evidence import Slices
from training.evaluation.measured import Measured
from training.evaluation.model import Segment
from training.evaluation.resample import Resampler
from training.evaluation.segments import Segments
from training.evaluation.slices import Rivals, worse_slices, worse_than_told
from training.fit import code

DECISION = Decision(1.0, 10.0, 0.5, "EUR")
NAMES = ("c0", "c1", "c2", "c3")


def inputs_of(names: NDArray[np.object_]) -> Inputs:
    return Inputs(np.empty((len(names), 0), np.float32), names[:, None])


def compared(
    names: NDArray[np.object_],
    labels: NDArray[np.int8],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    groups: NDArray[np.intp] | None = None,
) -> Slices:
    contract = contract_for(0, 1)
    segments = Segments(contract, code(inputs_of(names)))
    return worse_slices(
        contract.decision, segments, Rivals(labels, ours, theirs, "here"), Resampler(len(names), groups)
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_by_how_much_each_row_is_worse(rows: list[tuple[int, float, float]]) -> None:
    labels = np.array([y for y, _, _ in rows], np.int8)
    told = Rivals(labels, np.array([p for _, p, _ in rows]), np.array([q for _, _, q in rows]), "").worse_by(DECISION)
    at = threshold(DECISION)
    for i, (label, ours, theirs) in enumerate(rows):
        worth = 5.0 * label - 1.0
        assert told["profit"][i] == worth * (theirs >= at) - worth * (ours >= at)
        p, q = (min(max(side, 1e-6), 1 - 1e-6) for side in (ours, theirs))
        loss = [-math.log(side if label else 1 - side) for side in (p, q)]
        assert told["log_loss"][i] == pytest.approx(loss[0] - loss[1], rel=1e-6, abs=1e-9)


def drawn(rows: int, seed: int, *, spoiled: str = "") -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    names = rng.choice(np.array(NAMES, object), rows)
    truth = rng.uniform(0.05, 0.95, rows)
    labels = (rng.random(rows) < truth).astype(np.int8)
    noise = [1 / (1 + np.exp(-(np.log(truth / (1 - truth)) + rng.normal(0, 0.4, rows)))) for _ in range(2)]
    ours = np.where(names == spoiled, 1 - noise[0], noise[0])
    return names, labels, ours, noise[1]


def test_the_interval_of_a_slice_is_students_over_its_rows() -> None:
    """Fewer rows than blocks: every row is its own block, and the ratio's variance is that of the mean."""
    names, labels, ours, theirs = drawn(450, 1, spoiled="c2")
    found = compared(names, labels, ours, theirs)
    worse = {(s.name, s.measure): s for s in found.worse}
    values = Rivals(labels, ours, theirs, "").worse_by(contract_for(0, 1).decision)
    for measure in ("profit", "log_loss"):
        one, rows = worse["c2", measure], values[measure][names == "c2"]
        miss = 0.05 / (found.judged * 2)
        low, high = stats.t.interval(1 - miss, len(rows) - 1, rows.mean(), stats.sem(rows))
        assert one.worse_by.value == pytest.approx(rows.mean())
        assert [one.worse_by.low, one.worse_by.high] == pytest.approx([low, high], rel=1e-6)
        assert one.rows == len(rows)
    assert found.confidence == pytest.approx(1 - 0.05 / (found.judged * 2))


@pytest.mark.parametrize("spoiled", NAMES)
def test_the_slice_that_is_worse_is_named_and_no_other(spoiled: str) -> None:
    found = compared(*drawn(2_000, 7, spoiled=spoiled))
    assert {(s.feature, s.name) for s in found.worse} == {("c0", spoiled)}
    assert found.found == len(found.worse) == 2
    assert [s.measure for s in found.worse] == ["profit", "log_loss"]


def test_chance_alone_names_a_slice_in_at_most_one_of_twenty_tables() -> None:
    tables = 40
    alarms = sum(bool(compared(*drawn(400, seed)).worse) for seed in range(tables))
    assert alarms <= 0.05 * tables + 3.5 * math.sqrt(0.05 * tables)


def test_rows_of_one_entity_are_no_evidence_of_their_own() -> None:
    """Thirty copies of each row look sure; taken as the entities that they are, they are not."""
    names, labels, ours, theirs = drawn(220, 11)
    many = [np.repeat(column, 30) for column in (names, labels, ours, theirs)]
    alone = compared(many[0], many[1], many[2], many[3])
    together = compared(many[0], many[1], many[2], many[3], np.repeat(np.arange(220), 30))
    assert alone.found > together.found == 0


def segment(name: str, profit: Measured, loss: Measured, rows: int = 500) -> Segment:
    return Segment("f", name, rows, 0.3, 0.8, 0.3, Measured(0.0, -0.1, 0.1), 0.5, profit, loss)


def as_told(name: str, profit: Measured, loss: Measured, rows: int = 500) -> dict[str, Any]:
    return {"feature": "f", "name": name, "rows": rows, "profit": profit.__dict__, "log_loss": loss.__dict__}


SAME = Measured(0.5, 0.4, 0.6)


def test_two_figures_that_are_independent_differ_by_the_root_of_their_squares() -> None:
    ours, theirs = Measured(1.0, 0.9, 1.1), Measured(2.0, 1.8, 2.2)
    found = worse_than_told([segment("a", ours, SAME)], [as_told("a", theirs, SAME)])
    (one,) = found.worse
    error = math.hypot(0.2 / (2 * 1.96), 0.4 / (2 * 1.96))
    half = stats.norm.ppf(1 - 0.05 / 2 / 2) * error
    assert one.measure == "profit"
    assert one.worse_by.value == pytest.approx(1.0)
    assert [one.worse_by.low, one.worse_by.high] == pytest.approx([1 - half, 1 + half])
    assert (found.judged, found.found) == (1, 1)


@pytest.mark.parametrize(
    ("ours", "theirs", "worse"),
    [
        (Measured(0.7, 0.6, 0.8), Measured(0.3, 0.2, 0.4), True),
        (Measured(0.3, 0.2, 0.4), Measured(0.7, 0.6, 0.8), False),
        (Measured(0.5, 0.1, 0.9), Measured(0.3, 0.0, 0.6), False),
        (Measured(0.7, None, None), Measured(0.3, 0.2, 0.4), False),
        (Measured(0.7, 0.6, 0.8), Measured(0.3, None, None), False),
    ],
)
def test_a_loss_is_worse_when_it_is_larger_beyond_chance(ours: Measured, theirs: Measured, *, worse: bool) -> None:
    found = worse_than_told([segment("a", SAME, ours)], [as_told("a", SAME, theirs)])
    assert [s.measure for s in found.worse] == (["log_loss"] if worse else [])


def test_only_segments_of_the_same_rows_are_compared() -> None:
    bad, good = Measured(0.0, -0.1, 0.1), Measured(9.0, 8.9, 9.1)
    ours = [segment("a", bad, SAME), segment("b", bad, SAME), segment("c", bad, SAME, rows=499)]
    theirs = [as_told("a", good, SAME), as_told("c", good, SAME), as_told("d", good, SAME)]
    found = worse_than_told(ours, theirs)
    assert (found.judged, [s.name for s in found.worse]) == (1, ["a"])


def test_the_costliest_come_first_and_twenty_are_named() -> None:
    figures = [(f"s{i}", Measured(-float(i), -float(i) - 0.01, -float(i) + 0.01)) for i in range(1, 31)]
    ours = [segment(name, profit, Measured(2.0, 1.99, 2.01), rows=100 + i) for i, (name, profit) in enumerate(figures)]
    theirs = [
        as_told(name, Measured(0.0, -0.01, 0.01), Measured(0.1, 0.09, 0.11), rows=100 + i)
        for i, (name, _) in enumerate(figures)
    ]
    found = worse_than_told(ours, theirs)
    assert (found.found, len(found.worse)) == (60, 20)
    assert {s.measure for s in found.worse} == {"profit"}
    cost = [s.worse_by.value * s.rows for s in found.worse]
    assert cost == sorted(cost, reverse=True)
    assert found.worse[0].name == "s30"
