"""Groups of a feature are a partition with names of their own; fairness over them is what pandas tells."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebb.contract import Contract
from ebb.features.inputs import Inputs
from tests.fakes.made_contracts import contract_of
from training.evaluation.fair_groups import Fairness
from training.evaluation.fairness import Answers, fairness
from training.evaluation.groups import MISSING, grouping, of_numbers
from training.evaluation.resample import Resampler
from training.fit.coded import code

NUMBER = contract_of('name = "x"; kind = "number"; missing = true').features[0]
FLAG = contract_of('name = "x"; kind = "flag"; missing = true').features[0]
FLOATS = st.floats(-1e6, 1e6, width=32) | st.just(float("nan"))


@settings(deadline=None, max_examples=80)
@given(st.lists(FLOATS | st.sampled_from([1e6, 1e6 + 1, 1e6 + 2, 0.1, 0.1000001]), min_size=1, max_size=60))
def test_every_row_is_in_one_group_whose_values_lie_together(values: list[float]) -> None:
    column = np.array(values, np.float32)
    groups = of_numbers(NUMBER, column)
    assert len(groups.codes) == len(column)
    assert groups.rows.sum() == len(column)
    assert len(set(groups.names)) == len(groups.names), "two groups of one name would be taken for each other"
    assert [groups.names[c] == MISSING for c in groups.codes] == np.isnan(column).tolist()
    ends = [column[groups.codes == g] for g in range(len(groups.names) - 1)]
    filled = [part for part in ends if len(part)]
    for before, after in pairwise(filled):
        assert np.max(before) < np.min(after)


def test_codes_of_seven_digits_are_groups_of_their_own() -> None:
    """Six digits would name both branches 1e+06."""
    groups = of_numbers(NUMBER, np.array([1_000_001, 1_000_002] * 60, np.float32))
    assert groups.names == ("1000001", "1000002", MISSING)


def test_quarters_of_numbers_that_hardly_differ_are_told_apart() -> None:
    column = (1_000_000 + np.arange(400)).astype(np.float32)
    groups = of_numbers(NUMBER, column)
    assert groups.rows.tolist() == [100, 100, 100, 100, 0]
    assert len(set(groups.names)) == 5
    assert groups.names[0].startswith("below 1.0001e+06")


def test_a_quarter_is_named_by_its_lower_edge_and_holds_it() -> None:
    groups = of_numbers(NUMBER, np.arange(101).astype(np.float32))
    assert groups.names == ("below 25", "25 to 50", "50 to 75", "75 and above", MISSING)
    assert [groups.names[groups.codes[value]] for value in (24, 25, 50, 75)] == [
        "below 25",
        "25 to 50",
        "50 to 75",
        "75 and above",
    ]


def test_a_flag_is_yes_or_no_however_many_rows() -> None:
    groups = of_numbers(FLAG, np.array([0, 1, np.nan, 1], np.float32))
    assert [groups.names[c] for c in groups.codes] == ["0", "1", MISSING, "1"]


def test_ten_values_are_groups_and_eleven_are_quarters() -> None:
    assert of_numbers(NUMBER, np.arange(10).astype(np.float32)).names[:3] == ("0", "1", "2")
    assert of_numbers(NUMBER, np.arange(11).astype(np.float32)).names[0].startswith("below")


def test_a_rare_value_far_down_a_column_is_seen() -> None:
    """The first 20,000 rows say that values are few; the others may still say otherwise."""
    column = np.zeros(20_100, np.float32)
    column[20_000:] = np.arange(100)
    assert of_numbers(NUMBER, column).names[0].startswith("below")
    column[20_000:] = 7
    assert of_numbers(NUMBER, column).names == ("0", "7", MISSING)


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=30), st.data())
@settings(deadline=None, max_examples=30)
def test_only_some_groups_keep_their_order(names: list[str], data: st.DataObject) -> None:
    contract = contract_of('name = "g"; kind = "category"; missing = true')
    coded = code(Inputs(np.empty((len(names), 0), np.float32), np.array(names, object)[:, None]))
    groups = grouping(contract, coded, contract.features[0])
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, len(groups.names) - 1)))), np.intp)
    codes = groups.only(kept)
    for row, name in enumerate(names):
        told = groups.names[groups.codes[row]]
        assert told == (name or MISSING)
        place = np.flatnonzero(kept == groups.codes[row])
        assert codes[row] == (place[0] if len(place) else -1)


def fair(smallest: int = 5) -> Contract:
    import dataclasses  # noqa: PLC0415 - of this one

    contract = contract_of('name = "g"; kind = "category"; protected = true; missing = true')
    return dataclasses.replace(contract, gates=dataclasses.replace(contract.gates, smallest_group=smallest))


def compared(names: list[str], labels: NDArray[np.int8], told: NDArray[np.float64], at: float = 0.5) -> Fairness:
    coded = code(Inputs(np.empty((len(names), 0), np.float32), np.array(names, object)[:, None]))
    return fairness(fair(), coded, Answers(told, labels, told >= at), Resampler(len(names)))[0]


PEOPLE = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", ""]), st.integers(0, 1), st.integers(0, 10)), min_size=1, max_size=80
)


@settings(deadline=None, max_examples=60)
@given(PEOPLE)
def test_groups_are_compared_as_pandas_compares_them(people: list[tuple[str, int, int]]) -> None:
    frame = pd.DataFrame(people, columns=["g", "y", "p"])
    frame["p"] /= 10
    frame["acted"] = frame["p"] >= 0.5
    found = compared(frame["g"].tolist(), frame["y"].to_numpy(np.int8), frame["p"].to_numpy(float))
    frame["g"] = frame["g"].replace("", MISSING)
    by_group = {str(name): part for name, part in frame.groupby("g")}
    large = {name: part for name, part in by_group.items() if len(part) >= 5}
    assert {g.name: g.rows for g in found.groups} == {name: len(part) for name, part in large.items()}
    assert {g.name: g.rows for g in found.not_judged} == {
        name: len(part) for name, part in by_group.items() if len(part) < 5
    }
    for group in found.groups:
        part = large[group.name]
        positives = part[part["y"] == 1]
        assert group.positives == pytest.approx(part["y"].mean())
        assert group.acted_on == pytest.approx(part["acted"].mean())
        assert group.mean_probability == pytest.approx(part["p"].mean())
        assert group.found == (None if len(positives) < 5 else pytest.approx(positives["acted"].mean()))
    shares = [part["acted"].mean() for part in large.values()]
    tprs = [part[part["y"] == 1]["acted"].mean() for part in large.values() if (part["y"] == 1).sum() >= 5]
    assert found.gap == pytest.approx(max(shares) - min(shares) if shares else 0.0)
    assert (found.parity is None) == (len(shares) < 2)
    assert (found.opportunity is None) == (len(tprs) < 2)
    if found.opportunity is not None:
        assert found.opportunity.value == pytest.approx(max(tprs) - min(tprs))
    if found.calibration is not None:
        off = [abs(part["p"].mean() - part["y"].mean()) for part in large.values()]
        assert found.calibration.value == pytest.approx(max(off))


def test_calibration_within_groups_sees_what_the_whole_hides() -> None:
    """One group is told too much and the other too little: on the whole the answers are right, in each they are not."""
    rng = np.random.default_rng(0)
    names = ["a", "b"] * 2_000
    truth = rng.uniform(0.3, 0.7, 4_000)
    labels = (rng.random(4_000) < truth).astype(np.int8)
    told = truth + np.where(np.arange(4_000) % 2 == 0, 0.15, -0.15)
    found = compared(names, labels, told)
    assert told.mean() == pytest.approx(labels.mean(), abs=0.03)
    assert found.calibration is not None
    assert found.calibration.low is not None
    assert found.calibration.high is not None
    assert 0.08 < found.calibration.low < 0.16 < found.calibration.high + 0.02
    fair_ones = compared(names, labels, truth)
    assert fair_ones.calibration is not None
    assert fair_ones.calibration.value < 0.05


@pytest.mark.parametrize("rows", [3, 4])
def test_a_protected_group_of_three_rows_moves_no_gap(rows: int) -> None:
    names = ["a"] * 50 + ["b"] * 50 + ["few"] * rows
    told = np.full(len(names), 0.9)
    told[-rows:] = 0.1
    labels = (np.arange(len(names)) % 2).astype(np.int8)
    found = compared(names, labels, told)
    assert found.gap == 0
    assert [(g.name, g.rows) for g in found.not_judged] == [("few", rows)]
